// The native server under a bridge, with what belongs to one run of it: an HTTP server that listens again gets a new one.
import { Attachment } from '../http/attachment';
import type { EngineHost } from '../engine/engine';
import { addon } from '../native/native';
import type { NativeServer, ServerStats } from '../native/native';
import type { ServerOptions } from '../options/server-options';
import type { BridgeEngine } from './engine';
import { RawCommands } from './raw-commands';
import { RawPump } from './raw-pump';

/** One run of the native server. */
export class Run {
  readonly native: NativeServer;
  readonly commands: RawCommands;
  readonly pump: RawPump;
  readonly attachment: Attachment;
  closing = false;

  constructor(engine: BridgeEngine, json: string, options: Partial<ServerOptions>) {
    this.native = new (addon().NativeServer)(json, () => this.pump.pump(), true);
    this.commands = new RawCommands(this.native);
    this.attachment = new Attachment(this.native, options, options.path as string, engine);
    this.pump = new RawPump(engine, this.attachment, this.native, this.commands);
  }
}

/** What the engine needs of its host. */
export class Core implements EngineHost {
  readonly _clients = { size: 0 };
  run: Run | undefined;
  private hooks: [allowRequest: boolean, headers: boolean] = [false, false];
  private heartbeats = false;

  constructor(
    readonly _opts: Partial<ServerOptions>,
    private readonly json: string,
  ) {}

  /** Starts the native server. */
  start(engine: BridgeEngine): Run {
    this.run = new Run(engine, this.json, this._opts);
    this.apply();
    return this.run;
  }

  _setHooks(allowRequest: boolean, headers: boolean): void {
    this.hooks = [allowRequest, headers];
    this.apply();
  }

  /** Pings and pongs become events. */
  wantHeartbeats(): void {
    if (this.heartbeats) return;
    this.heartbeats = true;
    this.apply();
  }

  private apply(): void {
    // The engine hears of every connection, and its middlewares run in the HTTP server in front.
    if (this.run) this.run.native.setHooks(...this.hooks, true, false, this.heartbeats);
  }

  _closeNative(): void {
    const { run } = this;
    if (!run || run.closing) return;
    run.closing = true;
    // Whoever waits for the end keeps the process alive, also when nothing else does any more.
    run.native.keepProcess(true);
    run.attachment.close();
    run.commands.closeAll();
  }

  stats(): ServerStats {
    return this.run?.native.stats() as ServerStats;
  }
}
