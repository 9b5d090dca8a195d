"""Modules that take as long as they are let: each uses another of the grader's limits up."""

from . import correct

RIGHT = correct.module()
# Every call of the module's own functions and layers takes a little less than a call may.
_SLOW = """
import time as _time

def _late(function, seconds={seconds}):
    def late(*arguments, **named):
        {work}
        return function(*arguments, **named)
    return late

sample_latent, loss_function = _late(sample_latent), _late(loss_function, {loss_seconds})
_init = ConditionalVariationalAutoencoder.__init__
def _slow_init(self, *arguments, **named):
    _init(self, *arguments, **named)
    for each in (self.encoder, self.mean_layer, self.logvariance_layer, self.decoder):
        each.forward = _late(each.forward)
ConditionalVariationalAutoencoder.__init__ = _slow_init
"""
_BURN = "until = _time.monotonic() + seconds\n        while _time.monotonic() < until: pass"
_ASK = """
import sys
def _parts():
    frame = sys._getframe()
    while type(frame.f_locals.get("operations")) is not dict:
        frame = frame.f_back
    return frame.f_globals["send"], frame.f_globals["receive"], frame.f_locals["self"].channel
def forward(self, images, conditions):
    send, receive, channel = _parts()
    large = torch.zeros(1000, 1000)
    for call in range(1 << 30):
        send(channel, {"ask": "sample_latent", "call": call, "needed": [True, True]},
             {"argument.0": large, "argument.1": large})
        receive(channel)
ConditionalVariationalAutoencoder.forward = forward
"""


def slow(work: str = "_time.sleep(seconds)", seconds: float = 9.5, loss_seconds: float = 0.7) -> str:
    return RIGHT + _SLOW.format(work=work, seconds=seconds, loss_seconds=loss_seconds)


WORST: dict[str, bytes] = {
    "sleeps-in-every-call": slow().encode(),
    "burns-in-every-call": slow(_BURN).encode(),
    "sleeps-in-every-step": slow(seconds=0.3, loss_seconds=0.1).encode(),
    "hangs-in-every-call": slow(seconds=1000.0, loss_seconds=1000.0).encode(),
    "fills-memory-in-every-call": slow("block = [torch.ones(50_000_000) for _ in range(9)]; _time.sleep(8)").encode(),
    "prints-without-an-end": slow(_BURN.replace("pass", "print('x' * 9999)")).encode(),
    "asks-without-an-end": (RIGHT.replace("def sample_latent(", "def sample_latent_(") + _ASK).encode(),
    "answers-with-large-tensors": (
        RIGHT + "\ndef sample_latent(means, logvariances):\n    return torch.randn(8192, 1000)\n"
        "loss_function = lambda *_: torch.zeros(8_000_000)\n"
    ).encode(),
    "combining-marks": b"a" + "\u0301".encode() * 500_000 + b" = 1\n",
    "wide-network": RIGHT.replace("self.hidden_size = 64", "self.hidden_size = 1500").encode(),
}  # fmt: skip
