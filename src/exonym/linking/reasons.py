"""Why a mention was linked as it was, in words."""

from __future__ import annotations

from exonym.linking.disambiguation.cases import Decision

GIVEN = "it came with the text"
NOTHING = "nothing in the knowledge base has this name"


def reason(decision: Decision, *, scorer: str, nil_threshold: float) -> str:
    """What decided about a mention.

    Args:
        decision: its candidates, the best first.
        scorer: what was to decide.
        nil_threshold: below which a mention is NIL.
    """
    if not decision.candidates:
        return NOTHING
    best, *others = decision.candidates
    if best.score < nil_threshold:
        return (
            f"NIL: the best candidate, {best.entity}, has {best.score:.3f}, less than the "
            f"threshold {nil_threshold:g}"
        )
    if not others:
        return "the only candidate"
    second = f"then {others[0].entity} with {others[0].score:.3f}"
    if decision.read:
        usual = max(decision.candidates, key=lambda candidate: candidate.prior)
        turned = "" if usual.entity == best.entity else f"; by the prior it were {usual.entity}"
        return f"by name and context ({scorer}) {best.score:.3f}, {second}{turned}"
    unread = "" if scorer == "prior" else ", for the model cannot choose between them"
    return f"by the prior {best.score:.3f}, {second}{unread}"
