# Runs Autobahn's own test suite (Python 2) against a host that echoes messages: see README.md.
#
# The engine carries its messages in WebSocket messages of its own: text behind a "4", binary as it is. So
# what a case sends as text gets that character in its first frame, and what comes back loses it; the packet
# that opens the session is awaited before the case begins. All else passes as the cases mean it.
import json
import os
import sys

from autobahntestsuite import fuzzing
from twisted.internet import reactor

TEXT = 1


class EngineProtocol(fuzzing.FuzzingClientProtocol):
    """One case, inside an Engine.IO session."""

    opened = False
    beginning = False

    def onOpen(self):
        self.connectionWasOpen = True

    def onMessage(self, message, binary):
        if not binary:
            if not self.opened:
                assert message.startswith('0{'), message
                self.opened = True
                self.rxFrameStats = {}
                fuzzing.FuzzingClientProtocol.onOpen(self)
                return
            assert message.startswith('4'), message[:100]
            message = message[1:]
        fuzzing.FuzzingClientProtocol.onMessage(self, message, binary)

    def sendFrame(self, opcode, payload='', fin=True, rsv=0, mask=None, payload_len=None, chopsize=None, sync=False):
        # Frames of messages come through here too, with their character already in place.
        if opcode == TEXT and not self.beginning:
            if payload_len is not None:
                payload = (payload * (payload_len // max(len(payload), 1) + 1))[:payload_len]
                payload_len = None
            payload = '4' + payload
        fuzzing.FuzzingClientProtocol.sendFrame(
            self, opcode, payload, fin, rsv, mask, payload_len, chopsize, sync)

    def sendMessage(self, payload, isBinary=False, *more, **named):
        if not isBinary:
            payload = '4' + payload
        self.beginning = True
        try:
            fuzzing.FuzzingClientProtocol.sendMessage(self, payload, isBinary, *more, **named)
        finally:
            self.beginning = False

    def beginMessage(self, isBinary=False, *more, **named):
        self.prefix = '' if isBinary else '4'
        fuzzing.FuzzingClientProtocol.beginMessage(self, isBinary, *more, **named)

    def beginMessageFrame(self, length):
        fuzzing.FuzzingClientProtocol.beginMessageFrame(self, length + len(self.prefix))

    def sendMessageFrameData(self, payload, sync=False):
        prefix, self.prefix = self.prefix, ''
        return fuzzing.FuzzingClientProtocol.sendMessageFrameData(self, prefix + payload, sync)


class EngineFactory(fuzzing.FuzzingClientFactory):
    def buildProtocol(self, addr):
        protocol = EngineProtocol()
        protocol.factory = self
        protocol.caseAgent = self.agent
        protocol.case = self.currentCaseIndex
        protocol.Case = fuzzing.Cases[self.currentCaseIndex - 1]
        protocol.runCase = protocol.Case(protocol)
        return protocol


# The cases of sections 12 and 13 send a thousand messages each, two hours of a Python process for all.
for case in fuzzing.Cases if 'MESSAGES' in os.environ else []:
    if hasattr(case, 'AUTOFRAGSIZE'):
        case.COUNT = int(os.environ['MESSAGES'])

port, outdir, cases = sys.argv[1], sys.argv[2], sys.argv[3:] or ['*']
EngineFactory({
    'outdir': outdir,
    'servers': [{'agent': 'kraken-ws', 'url': 'ws://127.0.0.1:%s/socket.io/?EIO=4&transport=websocket' % port}],
    'cases': cases,
    'exclude-cases': [],
    'exclude-agent-cases': {},
})
reactor.run()

counts = {}
for name, outcome in sorted(json.load(open(outdir + '/index.json'))['kraken-ws'].items()):
    both = '%s / %s' % (outcome['behavior'], outcome['behaviorClose'])
    counts[both] = counts.get(both, 0) + 1
    if both != 'OK / OK':
        print('%s: %s' % (name, both))
print(counts)
