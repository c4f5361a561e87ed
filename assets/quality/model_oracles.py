"""What must hold along the chain of models: the same episodes, visits and scores at every step."""

from __future__ import annotations

from assets.contract.checks import Kind, Stage
from assets.quality.oracles import Oracle, either_way, rows_of

EPISODES = "select episode_key from intermediate.episode"
OUTCOME = "marts.episode_outcome"


def _model(relation: str, kind: Kind, name: str, title: str, sentence: str, violated: str, evaluated: str) -> Oracle:
    return Oracle(f"{relation}.{name}", Stage.MODEL, kind, relation, title, sentence, violated, evaluated)


def _same_episodes(relation: str) -> Oracle:
    return _model(
        relation,
        Kind.RECONCILES,
        "episodes",
        f"{relation} has every episode, and no other",
        f"episode_key of {relation} are those of intermediate.episode.",
        either_way(f"select episode_key from {relation}", EPISODES),
        rows_of("intermediate.episode"),
    )


def _known_episodes(relation: str) -> Oracle:
    return _model(
        relation,
        Kind.RECONCILES,
        "episodes",
        f"{relation} is about known episodes",
        f"episode_no of {relation} occur in intermediate.episode.",
        f"select episode_no\nfrom {relation}\nanti join intermediate.episode using (episode_no)",
        rows_of(relation),
    )


def _outcome(kind: Kind, name: str, title: str, sentence: str, violated: str, looked_at: str) -> Oracle:
    return _model(
        OUTCOME,
        kind,
        name,
        title,
        sentence,
        f"select episode_key\nfrom {OUTCOME}\nwhere {violated}",
        rows_of(OUTCOME, looked_at),
    )


ORACLES = (
    _model(
        "audit.conservation",
        Kind.RECONCILES,
        "rows",
        "Every row of every delivery is accounted for",
        "For every delivery ingested = accepted + quarantined + superseded + rejected.",
        "select delivery_id\nfrom audit.conservation\n"
        "where ingested is distinct from accepted + quarantined + superseded + rejected",
        rows_of("audit.conservation"),
    ),
    _model(
        "audit.quarantine",
        Kind.RECONCILES,
        "findings",
        "Every finding of the quarantine has one fate",
        "Rows and checks of audit.quarantine are those of audit.quarantine_finding.",
        either_way(
            "select delivery_id, file, row_number, table_name, check_id from audit.quarantine",
            "select delivery_id, file, row_number, table_name, check_id from audit.quarantine_finding",
        ),
        rows_of("audit.quarantine_finding"),
    ),
    _model(
        "intermediate.episode",
        Kind.RECONCILES,
        "episodes",
        "No accepted episode is lost or doubled",
        "episode_key of intermediate.episode are those of staging.episode.",
        either_way(EPISODES, "select episode_key from staging.episode"),
        rows_of("intermediate.episode"),
    ),
    _model(
        "intermediate.visit",
        Kind.RECONCILES,
        "visits",
        "No attended visit is lost or doubled",
        "visit_key of intermediate.visit are those of the attended visits of staging.visit.",
        either_way(
            "select visit_key from intermediate.visit",
            "select visit_key from staging.visit where attendance = 'attended'",
        ),
        rows_of("intermediate.visit"),
    ),
    _model(
        "intermediate.session",
        Kind.RECONCILES,
        "visits",
        "Sessions are attended visits",
        "visit_key of intermediate.session occur in intermediate.visit.",
        "select visit_key\nfrom intermediate.session\nanti join intermediate.visit using (visit_key)",
        rows_of("intermediate.session"),
    ),
    _known_episodes("intermediate.episode_pain"),
    _known_episodes("intermediate.episode_rom"),
    _known_episodes("intermediate.measure_course"),
    _same_episodes(OUTCOME),
    _same_episodes("marts.case_mix"),
    _model(
        "marts.episode_recovery",
        Kind.RECONCILES,
        "episodes",
        "Every episode is judged by every recovery definition",
        "marts.episode_recovery has one row for each episode and each definition.",
        either_way(
            "select episode_key, definition_id from marts.episode_recovery",
            "select episode_key, definition_id from intermediate.episode, reference.definition",
        ),
        rows_of("marts.episode_recovery"),
    ),
    _model(
        "marts.episode_recovery",
        Kind.AGREES,
        "goals",
        "Who recovered reached both goals, who did not missed one",
        "An episode has recovered if its pain goal was reached on a day and its motion goal, if the definition looks "
        "at motion, was reached; it has not if one of them was missed; else it is unknown, with the reason.",
        "select episode_key, definition_id\nfrom marts.episode_recovery\n"
        "inner join reference.definition using (definition_id)\n"
        "where (recovered = 'yes' and (relief_day is null or (rom_rule <> 'none' and is_motion_reached is not true)))\n"
        "    or (recovered = 'no' and relief_day is not null and (rom_rule = 'none' or is_motion_reached))\n"
        "    or (recovered = 'unknown') <> (unknown_reason is not null)",
        rows_of("marts.episode_recovery"),
    ),
    _model(
        "marts.episode_recovery",
        Kind.AGREES,
        "scores",
        "Who recovered has a pain score as low as the definition asks for",
        "For every recovered episode, the pain measure it is judged by has a score at or below the limit of the "
        "definition on the day on which the goal was reached.",
        "select episode_key, definition_id\nfrom marts.episode_recovery\n"
        "inner join reference.definition using (definition_id)\n"
        "inner join intermediate.episode using (episode_key)\n"
        "inner join intermediate.episode_pain using (episode_no)\n"
        "anti join (\n"
        "    select episode_no, day_offset as relief_day, measure_id, min(value) as lowest\n"
        "    from staging.measurement inner join intermediate.visit using (visit_key)\n"
        "    group by episode_no, day_offset, measure_id\n"
        ") as score on score.episode_no = episode.episode_no and score.relief_day = episode_recovery.relief_day\n"
        "    and score.measure_id = episode_pain.measure_id and score.lowest <= definition.pain_at_most\n"
        "where episode_recovery.recovered = 'yes'",
        rows_of("marts.episode_recovery", "recovered = 'yes'"),
    ),
    _outcome(
        Kind.AGREES,
        "change",
        "The change in pain is the difference of its scores",
        "change is the first minus the last score where less is better, else the last minus the first; it is there if "
        "both are.",
        "change is distinct from case\n"
        "    when measure_id in (select measure_id from reference.measure where better = 'lower')\n"
        "        then baseline_value - last_value\n    else last_value - baseline_value\nend",
        "change is not null",
    ),
    _outcome(
        Kind.AGREES,
        "responders",
        "Responders got better by their share of the first score",
        "responder_30 and responder_50 say whether change reached 30 and 50 percent of a first score above 0.",
        "baseline_value > 0 and (\n    responder_30 is distinct from (100 * change >= 30 * baseline_value)\n"
        "    or responder_50 is distinct from (100 * change >= 50 * baseline_value)\n)",
        "responder_30 is not null",
    ),
    _outcome(
        Kind.AGREES,
        "recovery",
        "Recovery of the episode is that of the default definition",
        "recovered is what marts.episode_recovery says by the default definition.",
        "recovered is distinct from (\n    select recovered from marts.episode_recovery\n"
        "    inner join reference.definition using (definition_id)\n"
        "    where is_default and episode_recovery.episode_key = episode_outcome.episode_key\n)",
        "recovered is not null",
    ),
    _outcome(
        Kind.AGREES,
        "event",
        "The event is the outcome, and lies in the episode",
        "Nobody who did not recover has the event 'recovered', nobody who did has 'left'; no event lies before day 0.",
        "(event_kind = 'recovered' and recovered = 'no')\n    or (event_kind = 'left' and recovered = 'yes')\n"
        "    or event_day < 0",
        "event_kind is not null",
    ),
)
