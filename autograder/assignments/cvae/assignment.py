"""Every constant of the assignment, and what the engine knows of it: the one place to edit for a new term.

The graded checks read it from here. The notebook, the solution, the fill-in module, the public checks and the manuals
stand by themselves and hold copies: `autograder rollover` brings those in step (docs/rollover.md).
"""

from pathlib import Path

from autograder.assignment import Assignment, ByHand, Part

COURSE = "CS 5814"
TITLE = "Homework 3, part 3: conditional variational autoencoder"
MODULE = "cs5814_vae.py"
SEED = 5814
DUE = "2026-11-30T23:59:00-05:00"  # with the offset from UTC that holds on that day
UPLOAD = "Canvas, under Homework 3, part 3"  # where students hand in
COLAB = ""  # the notebook on GitHub, "OWNER/REPOSITORY/blob/BRANCH/cvae.ipynb", for a badge that opens it in Colab

HIDDEN_SIZE = 64  # from 48 to 256: another one, and the encoders and decoders of last term do not pass any more
LATENT_DIMENSIONALITY = 15  # from 13 to 32: the constructor's default, and the width of the worked examples
NUM_CATEGORIES = 10
IMAGE_SIDE = 28
INPUT_DIM = IMAGE_SIDE * IMAGE_SIDE

# The notebook's training run.
NUM_EPOCHS = 20
TRAINING_LATENT_DIMENSIONALITY = 100
BATCH_SIZE = 128
LEARNING_RATE = 1e-3


_CLASS = "ConditionalVariationalAutoencoder"
_ENCODER = ("encoder", "mean_layer", "logvariance_layer")
_NETWORK = ("encoder", "decoder", "forward")
PARTS = (
    Part("encoder", 15, "Compression network (encoder) architecture", (_CLASS, "__init__"), attributes=_ENCODER),
    Part("decoder", 15, "Decompression network (decoder) architecture", (_CLASS, "__init__")),
    Part("sample_latent", 20, "Reparameterization trick", ("sample_latent",), stand_in=True),
    Part("forward", 10, "The forward pass", (_CLASS, "forward")),
    Part("loss_function", 25, "Loss implementation", ("loss_function",), stand_in=True),
    Part("training", 5, "Training", (_CLASS,), follows=_NETWORK),
)
VISUALIZATION_POINTS = 10  # for figures and answers, given by hand in nbgrader

# The images of the loss's worked example, of 2 x 2 pixels, before the sigmoid. The figures that the worked examples
# print are computed from the solution.
EXAMPLE_RECONSTRUCTION_LOGITS = ((7.0, 3.0), (2.0, 6.0))
EXAMPLE_ORIGINAL_LOGITS = ((5.0, 2.0), (4.0, 2.0))

# The band in which the solution's average loss on MNIST lies, by epoch: four standard deviations on both sides of the
# average of twenty seeds. It belongs to these settings, and where those of the term are others the notebook says so;
# `autograder rollover --data FOLDER` measures it anew.
REFERENCE_SETTINGS = {"hidden size": 64, "latent dimensionality": 100, "batch size": 128, "learning rate": 0.001}
REFERENCE_CURVE = {
    0: (213.1, 218.4),
    1: (173.5, 185.6),
    2: (149.5, 164.6),
    3: (137.4, 150.4),
    4: (131.9, 141.8),
    5: (127.6, 136.7),
    6: (124.6, 133.0),
    7: (122.3, 130.1),
    8: (120.5, 128.0),
    9: (119.0, 126.6),
    10: (117.9, 125.4),
    11: (116.9, 124.3),
    12: (116.2, 123.4),
    13: (115.5, 122.7),
    14: (114.8, 122.2),
    15: (114.0, 121.8),
    16: (113.4, 121.5),
    17: (112.8, 121.1),
    18: (112.4, 120.7),
    19: (111.9, 120.4),
}

# The graded smoke run: the notebook's own loop, short, on embedded digits. The narrow latent lets the class come
# through within so few steps, and the weights start from a draw of the grader's, so that every style starts alike.
SMOKE_DIGITS = 640
SMOKE_STEPS = 50
SMOKE_BATCH_SIZE = 32
SMOKE_LEARNING_RATE = 1.2e-2
SMOKE_LATENT_DIMENSIONALITY = 2

ASSIGNMENT = Assignment(
    folder=Path(__file__).parent,
    root=Path("../../.."),
    course=COURSE,
    title=TITLE,
    module=MODULE,
    parts=PARTS,
    seed=SEED,
    due=DUE,
    kit="hw3-part3",
    notebook="notebooks/cvae.ipynb",
    kit_files={
        "public_checks.py": "notebooks/public_checks.py",
        "cvae_helpers.py": "notebooks/cvae_helpers.py",
        "check_tools.py": "notebooks/check_tools.py",
        "hints.json": "notebooks/hints.json",
        "environment.yml": "notebooks/environment.yml",
        "README.md": "docs/student.md",
    },
    by_hand=ByHand(
        "visualization",
        VISUALIZATION_POINTS,
        "your figures and answers",
        {"visualization": 6, "question_sampling": 2, "question_zero": 2},
    ),
    interface=(
        "input_dim", "latent_dimensionality", "num_categories", "hidden_size", "encoder", "mean_layer",
        "logvariance_layer", "decoder",
    ),
    notebook_environment={"CS5814_SMOKE": "1", "MNIST_ROOT": "/data"},
    data_folder="digits",
    training="training.py",
    no_grade_depends_on=(
        "reference_curve.py", "reference_pictures.py", "recognizer.py", "recognizer.safetensors", "COURSE", "TITLE",
        "DUE", "UPLOAD", "COLAB", "NUM_EPOCHS", "LEARNING_RATE", "REFERENCE_SETTINGS", "REFERENCE_CURVE",
        "VISUALIZATION_POINTS",
    ),
)  # fmt: skip
