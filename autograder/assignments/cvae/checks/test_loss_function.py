"""loss_function: each term by itself, their average over a minibatch, gradients, and no loops.

The terms are told apart by differences between calls that change one of them alone, on a single image. Where one is
wrong, the average, the shapes and the gradients are judged by what the submission itself makes of a single image, so
that each mistake costs its own points and no others.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    EXAMPLE_ORIGINAL_LOGITS,
    EXAMPLE_RECONSTRUCTION_LOGITS,
    INPUT_DIM,
    LATENT_DIMENSIONALITY,
    TRAINING_LATENT_DIMENSIONALITY,
)
from autograder.assignments.cvae.checks import probes
from autograder.assignments.cvae.checks.loss_mistakes import (
    IN_DIVISOR,
    average_of_each,
    change_of_copies,
    describe_loops,
    divisor_of_shape,
    find_mistakes,
    in_one_dimension,
    latents_written_in,
    mistakes_in_term,
    mixed_dimensions,
    of_copies,
    of_several,
    pixels_written_in,
    said_of_factor,
    said_of_ratio,
    said_of_shape,
    stops_at_means,
    with_equal_rows,
    written_out,
)
from autograder.assignments.cvae.checks.loss_pixels import FINEST, MARGINS, about_pixels
from autograder.assignments.cvae.checks.loss_values import (
    HIGH,
    LATENTS,
    LATENTS_TAKEN,
    LOW,
    NAMES,
    PIXELS_TAKEN,
    TOLERANCE,
    WEIGHED,
    Form,
    Moving,
    by_one_factor,
    change,
    charged_for_one_image,
    factor_of,
    fewest_images,
    find_moving,
    finite,
    first_wrong,
    flat_and_shaped,
    right_terms,
    rounded_terms,
    said_of_half,
    should_change,
    takes_either_shape,
    value_of,
    value_on,
    with_gradients,
    without_moving,
)
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Grading, Wrong, check, close, fail, once, require_arguments_unchanged
from autograder.report.model import Outcome
from autograder.report.summary import counted, listed
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import Raised, SubmissionError

pytestmark = pytest.mark.loss_function
MOST_CHANGE = 0.2  # from call to call, for an average still to be seen: a divergence of one draw changes by less
# Beyond the usual ones, where a bound on them shows, and how far off the divergence may be there: a constant of 1e-6
# next to a variance of exp(-12.5) changes its logarithm by 0.24.
FAR_LOGVARIANCES = ((-12.5, 0.015), (12.0, TOLERANCE))
ROUGH = 0.02  # of a change to a margin: a constant of 1e-4 in a logarithm changes it by that much
FAR_MEAN = 12.0  # the largest mean at which a bound on means is looked for
EXAMPLE_TOLERANCE = 0.01  # of the worked example's 8.83: the largest right constant in a logarithm changes it by 0.006
MOST_AT_ZERO = 150  # times what a reconstruction of FINEST costs, for one of 0: 1,000 for each pixel


@pytest.fixture(scope="module")
def form(submission: Submission, grading: Grading) -> Form:
    """The first form that the loss takes without an error; the usual one if it takes none."""
    challenge = Challenge(grading.seed, "form")

    def takes(form: Form, latent: int = LATENT_DIMENSIONALITY) -> bool:
        with contextlib.suppress(Raised):
            submission.call("loss_function", *form.widest(challenge, latent))
            return True
        return False

    shapes = [Form(flat, any_pixels) for flat, any_pixels in product((True, False), repeat=2)]
    values = product(PIXELS_TAKEN, LATENTS_TAKEN)
    forms = (replace(each, pixels=pixels, latents=latents) for (pixels, latents), each in product(values, shapes))
    with contextlib.suppress(SubmissionError):
        if taken := next(filter(takes, forms), None):
            half = rounded_terms(submission, challenge, taken)
            found = replace(taken, any_latents=takes(taken, LATENTS), half=half)
            return replace(found, least=fewest_images(submission, challenge, found))
    return Form()


@pytest.fixture(scope="module")
def moving(submission: Submission, grading: Grading, form: Form) -> Moving | None:
    """What changes in the loss from call to call; None for a loss that depends on its arguments alone."""
    with contextlib.suppress(SubmissionError, Wrong):
        return find_moving(submission, Challenge(grading.seed, "moving"), form)
    return None


_MOVES = "Two calls of your loss with the same arguments gave two different values."


def judge_moving(term: str, moving: Moving, grading: Grading) -> None:
    """Judge one term of a loss that changes from call to call, by its gradients."""
    name = NAMES[term]
    if term in moving.terms:
        fail(f"{_MOVES} Your {name} changes from call to call.", "loss-changes")
    if term in moving.wrong:
        fail(f"{_MOVES} In each call, the gradient of your {name} is wrong.", moving.wrong[term])
    grading.replaced.append(
        f"Your loss changes from call to call. Its gradients show that the {name} is right in each call."
    )


@pytest.fixture(scope="module")
def mistakes(submission: Submission, grading: Grading, form: Form) -> Callable[[], list[str]]:
    """Finds the mistakes behind wrong values, once for all the checks that such a value fails."""
    return once(lambda: find_mistakes(submission, Challenge(grading.seed, "mistakes"), form))


@check("Reconstruction term: binary cross-entropy, summed over the pixels", 6, probes=probes.RECONSTRUCTION)
def test_reconstruction(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moving: Moving | None,
    mistakes: Callable[[], list[str]],
) -> None:
    if form.pixels != "any":
        value_on(submission, *replace(form, pixels="any").widest(challenge))  # which stops
    if moving:
        judge_moving("reconstruction", moving, grading)
        return
    pair, observed, expected = first_wrong("reconstruction", submission, challenge, form)
    if not close(observed, expected, form.of_term("reconstruction")):
        if by_one_factor(submission, challenge, form):
            grading.replaced.append(_ONE_FACTOR)
            return
        found = mistakes_in_term("reconstruction", mistakes(), observed, partial(change_of_copies, submission, pair))
        more = ""
        if found in (["reconstruction-other"], ["reconstruction-scaled"]):
            found, more = about_pixels(submission, challenge, form)
        more = more or of_copies(submission, pair, found) or said_of_factor("reconstruction", found, observed, expected)
        said = "The grader changed the reconstruction and nothing else. "
        fail_value(f"{said}{should_change(observed, expected)}{more}", found)
    if not form.half:  # which rounds what is near 1 to 1
        require_margins(submission, challenge, form)


def require_margins(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check where reconstructions near 0 or 1 do not count as they should: most pixels of MNIST are there."""
    images, _, *parameters = form.inputs(challenge, 1, low=0.2)  # a wrong term may take their logarithm
    for original, margin, bright in product((1.0, 0.0), MARGINS, (False, True)):
        reached, originals = 1 - margin if bright else margin, 0 * images + original
        pair = [(0 * images + each, originals, *parameters) for each in (reached, 0.5)]
        observed, expected = change(submission, *pair)
        if not close(observed, expected, ROUGH):
            found, more = about_pixels(submission, challenge, form)
            fail(
                f"The grader changed all reconstructions of {'white' if original else 'black'} pixels from 0.5 to "
                f"{reached:g}. {should_change(observed, expected)}{more}",
                *found,
            )


@check("KL divergence in closed form, summed over the latent dimensions", 6, probes=probes.DIVERGENCE)
def test_divergence(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moving: Moving | None,
    mistakes: Callable[[], list[str]],
) -> None:
    if form.latents != "any":
        value_on(submission, *replace(form, latents="any").widest(challenge))  # which stops
    if moving:
        judge_moving("kl", moving, grading)
        return
    require_any_latents(submission, challenge, form)
    pair, observed, expected = first_wrong("kl", submission, challenge, form)
    if not close(observed, expected, form.of_term("kl")):
        if by_one_factor(submission, challenge, form):
            grading.replaced.append(_ONE_FACTOR)
            return
        found = mistakes_in_term("kl", mistakes(), observed, partial(change_of_copies, submission, pair))
        more = of_copies(submission, pair, found) or said_of_factor("kl", found, observed, expected)
        if found == ["kl-other"] and stops_at_means(submission, challenge, form):
            found = ["kl-mean-clamped"]
        elif latents := latents_written_in(submission, challenge, form, float(observed / expected)):
            found = ["latents-written-in"]
            more = f" There are {LATENTS} latent dimensions here. With {latents}, your KL divergence is right."
        elif found == ["kl-other"] and not form.half and (mixed := mixed_dimensions(submission, challenge, form)):
            found = ["kl-mixes-dimensions"]
            more = f" What one latent dimension adds depends on the {listed(mixed)} of the others."
        elif "kl-other" in found:
            more = written_out(submission, challenge, form) or in_one_dimension(submission, challenge, form)
        if "kl-logvariance-as-log-std" in found and grading.blamed("sample_latent", "variance-as-std"):
            more = " Your `sample_latent` also treats `logvariances` as log σ."
        said = "The grader kept the image and changed the means and log-variances. "
        fail_value(f"{said}{should_change(observed, expected)}{more}", found)
    judge_far(submission, challenge, form)
    if not form.half and not grading.failed("loss_function"):
        arguments = form.inputs(challenge, 1)
        value, right = torch.tensor(value_on(submission, *arguments)), reference.loss_function(*arguments)
        if not close(value, right, TOLERANCE):
            grading.replaced.append("Only changes of the divergence count here. Another check judges constants.")


def judge_far(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check for a divergence that stops at some log-variance; where it is not finite, another check judges."""
    *pixels, means, logvariances = form.inputs(challenge, 1)
    if form.half:  # the rounding of the pixels would hide the divergence
        pixels = [0 * each for each in pixels]
    for logvariance, tolerance in FAR_LOGVARIANCES:
        latents = [(means, 0 * logvariances + each) for each in (logvariance, 0.0)]
        observed, expected = change(submission, *((*pixels, *each) for each in latents))
        if observed.isfinite() and not close(observed, expected, max(tolerance, form.of_term("kl"))):
            fail(
                f"The grader changed all log-variances from 0 to {logvariance:g}. " + should_change(observed, expected),
                "kl-clamped",
            )
    for mean in (-FAR_MEAN, FAR_MEAN):
        ends = [(0 * means + each, 0 * logvariances) for each in (mean, 0.0)]
        observed, expected = change(submission, *((*pixels, *each) for each in ends))
        if not close(observed, expected, form.of_term("kl")):
            fail(
                f"The grader changed all means from 0 to {mean:g}. {should_change(observed, expected)}",
                "kl-mean-clamped" if stops_at_means(submission, challenge, form) else "kl-other",
            )


def require_any_latents(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check if the loss takes the usual number of latent dimensions, and stops for another one."""
    if form.any_latents:
        return
    try:
        value_on(submission, *replace(form, any_latents=True).inputs(challenge, 1, latent=LATENTS))
    except Raised as error:
        takes = f"Your loss takes {LATENT_DIMENSIONALITY} latent dimensions, and stops for {LATENTS}."
        fail(f"{takes} {error}", "latents-written-in")


def fail_value(message: str, mistakes: list[str]) -> NoReturn:
    """Fail the check for a wrong value; for a loss that changes from call to call, no value says what is wrong."""
    if mistakes == ["loss-changes"]:
        message = _MOVES
    fail(message, *mistakes)


# Under a check that passes next to a mistake.
_ONE_FACTOR = "Both of your terms are off by the same factor. The check of the two terms together takes points for it."


@check("The two terms together, averaged over the minibatch", 5, probes=probes.MINIBATCH)
def test_minibatch(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moving: Moving | None,
    mistakes: Callable[[], list[str]],
) -> None:
    told = {name for check in grading.checks.get("loss_function", ()) for name in check.misconceptions}
    in_divisor = any(each.endswith(IN_DIVISOR) for each in told)
    judged = "the average of the {} is" if in_divisor else "the average over the images is"
    reconstruction, divergence = right_terms(grading, judged)
    if moving and not moving.terms:
        fail(f"{_MOVES} The sum of the two terms is multiplied by something, or added to.", "loss-changes")
    both_right = reconstruction and divergence
    low = -2 if both_right else 0.2  # a wrong term may take their logarithm
    sizes = (
        (challenge.integer(5, 9), LATENT_DIMENSIONALITY),
        (challenge.integer(20, 40), challenge.integer(2, 60)),
        (challenge.integer(100, 160), TRAINING_LATENT_DIMENSIONALITY),
    )
    for batch, latent in sizes:
        arguments = form.inputs(challenge, batch, latent=latent, low=low)
        # What a wrong term is made of is the same for all images: a function of its average, which has cost its points,
        # is then the average of the function.
        wrong = (set() if reconstruction else {0, 1}) | (set() if divergence else {2, 3})
        arguments = without_moving(with_equal_rows(arguments, wrong), moving)
        observed, what = value_on(submission, *arguments, averaged=True), "it should be"
        tolerance = form.tolerance
        if form.half and not math.isfinite(observed):  # float16 ends at 65504
            break
        if both_right:
            expected = float(reference.loss_function(*arguments))
        elif in_divisor:  # which has cost its points: only what the other term changes is judged
            equal = with_equal_rows(arguments, {0, 1, 2, 3})
            _, right = change(submission, arguments, equal)
            expected = value_on(submission, *equal) + float(right)
        else:  # a wrong term has cost its points: what remains to judge is the average over the images
            others = (value_on(submission, *arguments, seed=each) for each in range(1, 6))
            changes = max(abs(observed - other) for other in others) / max(abs(observed), 1e-6)
            if not changes <= MOST_CHANGE:
                fail(f"Two calls of your loss on the same {batch} images differ by {changes:.0%}.", "loss-changes")
            tolerance += min((batch + 1) * changes, MOST_CHANGE)  # that it changes at all is judged above
            expected = average_of_each(partial(value_on, submission), arguments)
            what = "the average of your losses for each image alone is"
        if not close(torch.tensor(observed), torch.tensor(expected), tolerance):
            told |= {f"{term}-other" for term, at in (("reconstruction", 0), ("kl", 2)) if at in wrong}
            found = [name for name in mistakes() if name not in told]
            found = found or (["batch-other"] if told or form.half else mistakes())
            if (batch, latent) != sizes[0]:  # which a constant would have changed as well
                found = [name for name in found if name != "loss-constant-off"]
            latent = arguments[2].shape[1]
            more = of_several(submission, challenge, form, found)
            if found == ["loss-scaled"]:
                more = said_of_ratio(observed / expected)
            fail_value(
                f"On a minibatch of {batch} images with {latent} latent dimensions, your loss is {observed:.4f}; "
                f"{what} {expected:.4f}.{more}",
                found,
            )
    if form.half:
        fail(said_of_half(submission, challenge, form), "half-precision")


@check(
    "Images of shape (N, 1, H, W): the worked example and a minibatch",
    2,
    worked_example=True,
    probes=probes.IMAGE_SHAPE,
)
def test_image_shape(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moving: Moving | None,
    mistakes: Callable[[], list[str]],
) -> None:
    charged = judge_worked_example(submission, challenge, grading, form, moving is not None, mistakes)
    if not form.flat:
        fail("Your loss takes images of shape (N, 1, H, W), but not flat ones, (N, 784).", "loss-image-shape")
    latent = 6 if form.any_latents else LATENT_DIMENSIONALITY
    images = [challenge.uniform(LOW, HIGH, 3, 1, 5, 4) for _ in range(2)]
    parameters = (challenge.normal(3, latent), challenge.uniform(0.2, 2, 3, latent))
    *images, means, logvariances = form.within(*images, *parameters)
    parameters = means, logvariances
    if moving and "kl" in moving.terms:
        *_, means, logvariances = without_moving((*images, *parameters), moving)
        parameters = means, logvariances
    try:
        first, second, shaped = flat_and_shaped(submission, images, parameters)
    except Raised as error:
        squares = [challenge.uniform(LOW, HIGH, 3, 1, 5, 5) for _ in range(2)]
        require_any_sides(submission, form.within(*squares, *parameters)[:2], parameters, error)
        value_on(submission, *(each.flatten(1) for each in images), *parameters)  # else the shape is not what is wrong
        shape = tuple(images[0].shape)
        fail(
            f"Your code takes images in shape (3, 20), and stopped on the same in shape {shape}. {error}",
            "loss-image-shape",
        )
    changes = not close(first, second, 0.1 * TOLERANCE)  # from call to call, which is judged above
    if not changes and not close(shaped, first, form.tolerance):
        if charged and (said := divisor_of_shape(submission, challenge, right_terms(grading))):
            grading.replaced.append(
                f"With images of shape (N, 1, H, W), {said}. Another check takes points for the divisor."
            )
            return
        said = "Images of shape (N, 1, H, W) and the same pixels as (N, H·W) give different losses."
        fail(said + said_of_shape(submission, challenge, form), "loss-image-shape")
    right = reference.loss_function(images[0], images[1], *parameters)
    if not grading.failed("loss_function") and not close(first, right, TOLERANCE):
        found = pixels_written_in(submission, challenge, form) or mistakes()
        fail(f"For 3 images of 20 pixels, your loss is {first:.4f}; it should be {right:.4f}.", *found)
    if not grading.failed("loss_function") and form.takes_any_values:
        judge_sizes_of_one(submission, challenge, form)


def judge_sizes_of_one(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check if the loss is wrong where a size is 1, as in the notebook's bars of the divergence."""
    for images, pixels, latent in ((7, 12, 1), (7, 1, 6), (7, 1, 1), (1, 12, 1), (1, 1, 6)):
        arguments = form.inputs(challenge, images, pixels, latent)
        widths = [each.flatten(1).shape[1] for each in arguments[1:3]]
        named = map(counted, (len(arguments[0]), *widths), ("image", "pixel", "latent dimension"))
        sizes = "{} of {} with {}".format(*named)
        try:
            value = torch.tensor(value_on(submission, *arguments, averaged=True))
        except Raised as error:
            fail(f"Your loss stops for {sizes}. {error}", "loss-size-of-one")
        right = reference.loss_function(*arguments)
        if not close(value, right, form.tolerance):
            fail(f"For {sizes}, your loss is {value:.4f}; it should be {right:.4f}.", "loss-size-of-one")


def judge_worked_example(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moved: bool,
    mistakes: Callable[[], list[str]],
) -> bool:
    """Fail the check for a wrong value on the notebook's example, unless another check took points for it.

    Returns:
        Whether one did. With `moved`, the loss changes from call to call, which costs another check, too.
    """
    both_right = all(right_terms(grading))
    reconstruction, original = (
        torch.sigmoid(torch.tensor(logits)).reshape(1, 1, 2, 2)
        for logits in (EXAMPLE_RECONSTRUCTION_LOGITS, EXAMPLE_ORIGINAL_LOGITS)
    )
    flattened = (reconstruction.flatten(1), original.flatten(1))
    parameters = (torch.ones(1, LATENT_DIMENSIONALITY), torch.zeros(1, LATENT_DIMENSIONALITY))
    expected = float(reference.loss_function(reconstruction, original, *parameters))
    try:
        example = value_on(submission, reconstruction, original, *parameters)
    except Raised as error:
        value_on(submission, *form.inputs(challenge, 1))  # if this fails too, the shape is not what is wrong
        if not form.takes_any_values:
            grading.replaced.append(
                "Your loss stops on the notebook's worked example. Another check takes points for it."
            )
            return True
        if form.least > 1:
            fail(f"Your loss stops for one image, and is right for several. {error}", "loss-of-one-image")
        fail(
            f"Your code stopped on the notebook's worked example, with images of shape (1, 1, 2, 2). {error}",
            "loss-pixels-only" if takes_either_shape(submission, challenge, form) else "loss-image-shape",
        )
    as_expected = abs(example - expected) <= EXAMPLE_TOLERANCE
    charged = not both_right or moved or bool(form.half) or charged_for_one_image(submission, challenge, grading, form)
    if charged and not as_expected:
        grading.replaced.append(
            "Your loss changes from call to call. On the notebook's worked example, only the shapes count here."
            if grading.blamed("loss_function", "loss-changes")  # the student may see another number
            else f"On the notebook's worked example, your loss is still {example:.4f} instead of {expected:.4f}. Here, "
            "only the shapes count."
        )
    if not charged and not as_expected:
        plain, twice, more = example, example, ""
        if form.flat:
            plain = value_on(submission, *flattened, *parameters)
            twice = value_on(submission, *(each.repeat(2, 1) for each in (*flattened, *parameters)))
        if abs(plain - expected) <= EXAMPLE_TOLERANCE:
            found, more = ["loss-image-shape"], said_of_shape(submission, challenge, form)
        elif abs(twice - expected) <= EXAMPLE_TOLERANCE:
            found = ["loss-of-one-image"]
        else:
            found = pixels_written_in(submission, challenge, form) or mistakes()
        said = f"On the notebook's worked example your loss is {example:.4f}; it should be {expected:.4f}."
        fail_value(said + more, found)
    return charged


def require_any_sides(
    submission: Submission, squares: Sequence[Tensor], parameters: tuple[Tensor, Tensor], error: Raised
) -> None:
    """Fail the check if the loss stops for images whose sides differ, and takes these square ones, flat or shaped."""
    with contextlib.suppress(Raised):
        flat, _, shaped = flat_and_shaped(submission, squares, parameters)
        if close(shaped, flat, TOLERANCE):
            said = "Your loss takes square images of 5 by 5 pixels, but stopped for images of 5 by 4."
            fail(f"{said} {error}", "loss-square-images")


@check("Differentiable with respect to reconstructions, means and log-variances", 3, probes=probes.LOSS_GRADIENTS)
def test_gradients(
    submission: Submission, challenge: Challenge, grading: Grading, form: Form, moving: Moving | None
) -> None:
    averaged = [check.outcome is Outcome.PASSED for check in grading.checks.get("loss_function", [])[:3]]
    batch = 3 if all(averaged) else 1  # a wrong average has cost its points
    arguments = form.inputs(challenge, batch)
    reply = with_gradients(submission, arguments)
    value_of(reply, batch)
    if reply.packing:
        raise reply.packing
    require_arguments_unchanged(submission, reply, ("loss_function",))
    gradients = reply.gradients("argument")
    if not gradients:
        fail("No gradient comes back through your loss.", "loss-detached")
    leaves = [argument.clone().requires_grad_() for argument in arguments]
    expected = torch.autograd.grad(reference.loss_function(*leaves), leaves)
    reconstruction, divergence = right_terms(grading, "the gradient of the {} is")
    if reconstruction and divergence:  # a factor of both is a wrong average, which is judged above
        near = (arguments[1].clamp(0.2, 0.8), arguments[1], 0 * arguments[2], 0 * arguments[3])
        changed = value_on(submission, *arguments) - value_on(submission, *near)
        factor = changed / float(reference.loss_function(*arguments) - reference.loss_function(*near))
        if moving and "2" in gradients:  # then two calls have two factors
            factor = float((gradients["2"] * expected[2]).sum() / expected[2].square().sum())
        expected = tuple(factor * each for each in expected)
    if divergence and not {"2", "3"} & gradients.keys():
        fail("The gradient of your loss does not reach the means and the log-variances.", "kl-detached")
    for index, name, right in (
        (0, "reconstructions", reconstruction), (2, "means", divergence), (3, "log-variances", divergence)
    ):  # fmt: skip
        gradient = gradients.get(str(index))
        if right and (gradient is None or not close(gradient, expected[index], 0.1 if form.half else 1e-2)):
            how = "does not reach" if gradient is None else "is wrong for"
            off = None if gradient is None else factor_of(gradient.flatten(), expected[index].flatten())
            more = f" It is {off:.2g} times what it should be." if off else ""
            named = "kl-detached" if index else "reconstruction-detached"
            fail(f"The gradient of your loss {how} the {name}.{more}", named)


@check("Finite for pixels of exactly 0 and 1, and for reconstructions down to 0", 2, probes=probes.FINITE)
def test_finite(
    submission: Submission, challenge: Challenge, grading: Grading, form: Form, moving: Moving | None
) -> None:
    """What MNIST and a sigmoid give: a float32 sigmoid is exactly 0 below -89 and exactly 1 above 17.

    A loss that is not finite for a reconstruction of exactly 1 gets a note, and no points are taken.
    The gradient is asked for a little above 0: at 0 itself, a logarithm that is cut off afterwards has none.
    """
    reconstruction, divergence = right_terms(grading, "the {} is")  # a wrong term is kept to where it is usual
    if reconstruction and not moving:
        require_no_jump(submission, challenge, form)
    for lowest, what, differentiate in ((0.0, "your loss", False), (1e-38, "the gradient of your loss", True)):
        width = WEIGHED if form.half else INPUT_DIM  # float16 ends at 65504
        *images, means, logvariances = form.inputs(challenge, 4, width, low=-2 if divergence else 0.2)
        if reconstruction:
            size, shape = images[0].numel(), images[0].shape
            reached = torch.tensor([lowest, 1e-38, 0.5, 1 - 6e-8])[challenge.integers(4, size)].reshape(shape)
            pixels = torch.tensor([0.0, 0.5, 1.0])[challenge.integers(3, size)].reshape(shape)
            if not finite(submission, (reached, pixels, means, logvariances), differentiate):
                reach = f"reconstructions from {lowest:g} to just below 1"
                point = first_not_finite(submission, (reached, pixels, means, logvariances))
                fail(point or f"For pixels of 0, 0.5 and 1 and {reach}, {what} is not finite.", "loss-not-finite")
        far = challenge.uniform(-30, 5 if form.half else 20, *logvariances.shape)
        if divergence and not finite(submission, (*images, means, far), differentiate):
            fail(f"For log-variances from -30 to 20, {what} is not finite.", "not-finite")


def first_not_finite(submission: Submission, arguments: tuple[Tensor, ...]) -> str:
    """The first pair of a reconstruction and an original for which the loss is not finite, in words; else empty."""
    images, _, *parameters = (each[:1] for each in arguments)
    for reached, original in product((0.0, 1e-38, 1 - 6e-8), (0.0, 0.5, 1.0)):
        value = value_on(submission, 0 * images + reached, 0 * images + original, *parameters)
        if not math.isfinite(value):
            return f"For an original of {original:g} and a reconstruction of {reached:.8g}, your loss is {value}."
    return ""


def require_no_jump(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check where a white pixel reconstructed as 0 costs less than one a little above 0, or absurdly much."""
    images, _, *parameters = form.inputs(challenge, 1, low=0.2)
    middle, low, zero = (
        value_on(submission, 0 * images + each, 0 * images + 1, *parameters) for each in (0.5, FINEST, 0)
    )
    if math.isfinite(zero) and not 0.95 <= (zero - middle) / (low - middle) <= MOST_AT_ZERO:
        fail(
            f"On an image of white pixels, your loss is {low:,.6g} where all reconstructions are {FINEST}, and "
            f"{zero:,.6g} where they are 0. It should {'be larger there' if zero < low else 'not grow as much'}.",
            "loss-jumps-at-zero",
        )


@check("No loops over the minibatch", 1, probes=probes.LOOPS)
def test_vectorised(submission: Submission, challenge: Challenge, grading: Grading, form: Form) -> None:
    right_terms(grading)
    usual = {"batch": 4, "pixels": 6, "latent": 3}
    small = submission.work("loss_function", *form.inputs(challenge, **usual))
    for size, what in (("batch", "images"), ("pixels", "pixels"), ("latent", "latent dimensions")):
        if (size == "pixels" and not form.any_pixels) or (size == "latent" and not form.any_latents):
            continue
        large = submission.work("loss_function", *form.inputs(challenge, **(usual | {size: 64})))
        for kind, unit in (("operators", "torch operations"), ("bytecodes", "steps of Python")):
            if large[kind] > 2 * small[kind] + 50:
                fail(
                    f"With {usual[size]} {what} your loss takes {small[kind]} {unit}; with 64 it takes {large[kind]}."
                    + describe_loops(submission.outline),
                    "loop-over-batch" if size == "batch" else "loop-over-elements",
                )
