"""Every limit on a submission, in one place."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Times are in seconds, sizes in bytes."""

    source: int = 1 * MIB  # the module itself
    outline_s: float = 5.0  # to parse the module for hints, which takes milliseconds
    import_s: float = 30.0  # torch.optim alone takes 20 from a cold disk
    call_s: float = 10.0
    run_s: float = 5.0  # a few lines on tiny inputs
    training_s: float = 40.0
    total_s: float = 120.0  # wall time of all calls together
    cpu_s: int = 100  # of one process
    memory: int = 2048 * MIB  # address space beyond what the warm worker already maps
    file: int = 1 * MIB
    files: int = 64  # that one process makes, folders and deleted ones included
    open_files: int = 128
    threads: int = 64  # that one process starts
    output: int = 64 * 1024  # of stdout and stderr together, the rest is dropped
    header: int = 256 * 1024  # of one frame
    body: int = 64 * MIB  # tensors of one frame, as sent and as float32
    names: int = 1 * MIB  # their names, shapes and types: more would be a frame of many thousand tensors
    axes: int = 8  # of one tensor
    results: int = 8  # of one call, and arguments
    captured: int = 24  # calls of one piece of a model of which arguments and results come back
    submodules: int = 500  # of a model, in what is told of them
    # Of the outputs that a notebook was handed in with:
    outputs_s: float = 20.0  # to read them, which takes a tenth of a second
    outputs: int = 300  # that are shown
    encoded: int = 12 * MIB  # of one picture's file, in base64
    side: int = 4000  # of one picture, in pixels
    pixels: int = 4 * MIB  # of one picture, and of all of them
    all_pixels: int = 16 * MIB
    text: int = 20_000  # characters of one output, and of all of them
    all_text: int = 100_000

    @property
    def scratch(self) -> int:
        """The largest size of its private folder."""
        return self.files * self.file


LIMITS = Limits()
