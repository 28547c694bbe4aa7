"""What has to be read back before a step that changes something counts as succeeded."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.model import durations
from orchestrator.model.operations import Action, Request
from orchestrator.model.steps import Proof, Witness, default_proof
from orchestrator.playbook.conditions import Conditions, Demands
from orchestrator.playbook.shapes import Key, Keys, OneOrMany, Spot, spot_at
from orchestrator.playbook.values import FLAG, Duration, Words

PROOF = Keys(
    {
        "status": Key(
            Words(
                {"up": True, "Up": True}, "up, the only status that proves a return", ("up", "Up")
            ),
            "up: the device has to be Up again. Always demanded of disruptive operations, and"
            " written for the reader only; not for what causes no outage, such as sync.",
        ),
        "pending_settings": Key(
            Words(
                {"none": True, "any": False},
                "none (has to be clear) or any (may be pending)",
                ("none", "any"),
            ),
            "none: pending settings have to be clear. any: they need not."
            " Default none for sync and reconf, any for everything else.",
        ),
        "within": Key(
            Duration(may_be_zero=False),
            "How long to wait for the proof. Default: two periodic contacts of the device, plus 15"
            " minutes for factory and device_factory, plus 30 minutes for firmware, plus 5 minutes"
            " for the others; a minute where only the record has to show it.",
        ),
        "settle": Key(
            Duration(),
            "Disruptive operations only: how long after the session that delivers the command a"
            " contact counts as a return. Default 60s for reboot, 150s for the factory kinds.",
        ),
        "stable_for": Key(
            Duration(),
            "Disruptive operations only: how long the device has to stay Up. Default 30s.",
        ),
        "contact": Key(
            FLAG,
            "true: after a change of the record, the device has to make contact as well. Default"
            " true where a secret is written, else false. Steps on records only.",
        ),
        "shows": Key(
            Conditions("what the record has to show in the end"),
            "What the record has to show in the end, beside what was written; for a firmware image"
            " the new software_version.",
        ),
        "witnesses": Key(
            OneOrMany(
                Words(
                    {witness.value: witness for witness in Witness},
                    "a witness of a reboot: up_time or device_log",
                    tuple(Witness),
                    {"uptime": "did you mean 'up_time'?", "log": "did you mean 'device_log'?"},
                )
            ),
            "up_time, device_log: stronger evidence of a reboot, asked of controllers that have it;"
            " of the others the ordinary evidence decides.",
        ),
        "whole_record": Key(
            FLAG,
            "Disruptive operations only. false: rows of the list prove the return, which saves a"
            " request a device; a firmware upgrade that is pending then is not seen. Default true.",
        ),
    },
    "proof",
    {
        "version": "write `shows: {software_version: ...}`",
        "software_version": "write `shows: {software_version: ...}`",
        "timeout": "did you mean 'within'?",
        "witness": "did you mean 'witnesses'?",
    },
)


def check_proof(at: Spot, operation: Request, proof: Mapping[str, Any]) -> None:
    """Note what a proof cannot demand of this request."""
    title = operation.value
    if not operation.is_disruptive:
        _check_no_outage(at, title, proof)
    if operation is Action.DELETE:
        for name in proof.keys() - {"within"}:
            spot_at(at, "proof", name).fault(
                "a deleted record shows nothing more: that it is gone is the proof", "remove it"
            )
    within, stable = proof.get("within"), proof.get("stable_for", 0.0)
    if within is not None and 0 < within <= stable:
        spot_at(at, "proof", "within").fault(
            f"within {durations.as_text(within)} nothing can be stable for"
            f" {durations.as_text(stable)}, so no device could succeed"
        )


def _check_no_outage(at: Spot, title: str, proof: Mapping[str, Any]) -> None:
    for name in ("status", "settle", "stable_for", "witnesses", "whole_record"):
        if name not in proof:
            continue
        about = "a reboot" if name == "witnesses" else "the return from an outage"
        verb = "are" if name == "witnesses" else "is"
        spot_at(at, "proof", name).fault(
            f"{name} {verb} about {about}, and {title} causes none",
            "remove it; a step `- check: {status: up}` can look afterwards"
            if name == "status"
            else "remove it",
        )


def proof_of(operation: Request, proof: Mapping[str, Any], *, contact: bool = False) -> Proof:
    """Give the proof as written, over the defaults of the request; `contact` is that of this step."""
    default = default_proof(operation)
    shows = proof.get("shows", Demands({}, {})).conditions
    return Proof(
        nothing_pending=proof.get("pending_settings", default.nothing_pending),
        within=proof.get("within", default.within),
        settle=proof.get("settle", default.settle),
        stable_for=proof.get("stable_for", default.stable_for),
        conditions=tuple(condition for found in shows.values() for condition in found),
        contact=proof.get("contact", contact),
        witnesses=proof.get("witnesses", ()),
        whole_record=proof.get("whole_record", True),
    )


def shows_field(proof: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Say whether the record has to show something in one of these fields in the end."""
    shows = proof.get("shows")
    return isinstance(shows, Demands) and any(name in shows.conditions for name in names)
