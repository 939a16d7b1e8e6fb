// The native server under a bridge. An HTTP server that listens again gets a new session of it.
import type { EngineHost } from '../engine/engine';
import { gateOf } from '../engine/questions';
import { Hook } from '../generated/wire';
import { Attachment } from '../http/attachment';
import { addon } from '../native/bindings';
import type { NativeServer } from '../native/bindings';
import type { ServerStats } from '../native/stats';
import { statsOf } from '../native/stats';
import type { ServerOptions } from '../options/server-options';
import type { BridgeEngine } from './engine';
import { RawCommands } from './raw-commands';
import { RawPump } from './raw-pump';

/** One session of the native server. */
export class BridgeSession {
  readonly native: NativeServer;
  readonly commands: RawCommands;
  readonly pump: RawPump;
  readonly attachment: Attachment;
  closing = false;

  constructor(engine: BridgeEngine, json: string, options: Partial<ServerOptions>) {
    this.native = new (addon().NativeServer)(json, () => this.pump.pump(), true);
    this.commands = new RawCommands(this.native);
    this.attachment = new Attachment(this.native, options, options.path as string, gateOf(engine));
    this.pump = new RawPump(engine, this.attachment, this.native, this.commands);
  }
}

/** The host of the bridge's engine. */
export class Core implements EngineHost {
  /** The bridge's engine counts its connections itself. */
  readonly knownConnections = 0;
  session: BridgeSession | undefined;
  private hooks = 0;
  private heartbeats = false;

  constructor(
    readonly opts: Partial<ServerOptions>,
    private readonly json: string,
  ) {}

  /** Starts the native server. */
  start(engine: BridgeEngine): BridgeSession {
    this.session = new BridgeSession(engine, this.json, this.opts);
    this.apply();
    return this.session;
  }

  setHooks(hooks: number): void {
    this.hooks = hooks;
    this.apply();
  }

  /** Subscribes to heartbeats. */
  wantHeartbeats(): void {
    if (this.heartbeats) return;
    this.heartbeats = true;
    this.apply();
  }

  private apply(): void {
    // The engine needs the events of every connection. Its middlewares run in Node's HTTP server, so the core does not
    // ask for them.
    const asked = this.hooks & (Hook.ALLOW_REQUEST | Hook.HEADERS);
    this.session?.native.setHooks(asked | Hook.CONNECTIONS | (this.heartbeats ? Hook.HEARTBEATS : 0));
  }

  closeNative(): void {
    const { session } = this;
    if (!session || session.closing) return;
    session.closing = true;
    // The process stays alive until the core's last event, also if nothing else keeps it.
    session.native.keepProcess(true);
    session.attachment.close();
    session.commands.closeAll();
  }

  stats(): ServerStats {
    return statsOf(this.session?.native.stats());
  }
}
