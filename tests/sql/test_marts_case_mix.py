"""One row per episode for models: what was known before treatment, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sql.conftest import Sandbox

EPISODE = """
    episode_no | episode_key | patient_key | clinic_key | condition_id | side | start_year | population | arm  | \
is_closed | discharge_day | last_visit_day | visit_count
    1          | e1          | p1          | c1         | sciatica     | left | 2024       | athlete    |      | \
true      | 60            | 58             | 7
    2          | e2          | p1          | c1         | neck_pain    |      | 2023       |            |      | \
false     |               | 10             | 2
    3          | e3          | p2          | c2         | sciatica     |      |            | other      | arm1 | \
true      | 60            |                | 0
    4          | e4          | p2          | c2         | sciatica     |      | 2025       | other      |      | \
true      | 30            | 30             | 3
    """
INTAKE = """
    episode_key | patient_key | symptom_duration | surgery_count | comorbidity_count | fear_avoidance | payer
    e1          | p1          | chronic          | 1             | 2                 | yes            | medicare
    e2          | p1          |                  |               |                   |                |
    e3          | p2          | acute            | 0             | 0                 | no             | other
    e4          | p2          | acute            | 0             | 0                 | no             | other
    """
OUTCOME = """
    episode_key | recovered | unknown_reason | responder_mcid | event_day | event_kind
    e1          | yes       |                | true           | 15        | recovered
    e2          | unknown   | still_open     |                |           |
    e3          | no        |                | false          | 14        | left
    e4          | no        |                | false          | 30        | left
    """
PATIENT = """
    patient_key | sex | age_years
    p0          | X   | 50
    p1          | F   | 44
    p2          | M   |
    """
PRECAUTION = """
    patient_key | precaution_type | present
    p1          | anticoagulant   | yes
    p1          | pregnancy       | no
    p2          | needle_phobia   | no
    """
PAIN = """
    episode_no | measure_id     | is_points | baseline_day | baseline_value | last_day | last_value
    1          | nprs_worst24h  | true      | 0            | 8              | 55       | 3
    3          | nprs_worst24h  | true      | 0            | 7              |          |
    4          | vas_mm         | false     | 0            | 70             | 30       | 20
    """
COURSE = """
    episode_no | measure_id    | side  | active_passive | baseline_day | last_day | baseline_value | last_value
    1          | nprs_worst24h | none  | any            | 0            | 55       | 8              | 3
    3          | nprs_worst24h | none  | any            | 0            | 20       | 7              | 4
    4          | vas_mm        | none  | any            | 0            | 30       | 70             | 20
    1          | lefs          | none  | any            | 0            | 60       | 20             | 60
    1          | faam_adl      | none  | any            | 0            | 20       | 50             | 75
    1          | slr           | left  | active         | 0            | 60       | 40             | 80
    3          | hit6          | none  | any            | 0            | 40       | 57             | 36
    4          | groc          | none  | any            | 0            | 30       | 0              | 5
    4          | odi           | none  | any            | 0            | 30       | 33.3           | 50
    2          | odi           | none  | any            |              | 9        |                | 30
    """
ROM = "episode_no | baseline_permille\n 1 | 640"


def case_mix(sql: Sandbox, course: str = COURSE) -> None:
    sql.run(
        "marts.case_mix",
        {
            "intermediate.episode": EPISODE,
            "staging.episode": INTAKE,
            "staging.patient": PATIENT,
            "staging.precaution": PRECAUTION,
            "intermediate.episode_pain": PAIN,
            "intermediate.episode_rom": ROM,
            "intermediate.measure_course": course,
            "marts.episode_outcome": OUTCOME,
        },
    )


def test_what_was_known_before_treatment(sql: Sandbox) -> None:
    case_mix(sql)
    sql.expect(
        "marts.case_mix",
        """
        episode_key | age_years | sex | population | symptom_duration | surgery_count | comorbidity_count | payer
        e1          | 44        | F   | athlete    | chronic          | 1             | 2                 | medicare
        e2          | 44        | F   | unknown    | unknown          |               |                   | unknown
        e3          |           | M   | other      | acute            | 0             | 0                 | other
        e4          |           | M   | other      | acute            | 0             | 0                 | other
        """,
    )
    sql.expect(
        "marts.case_mix",
        """
        episode_key | anticoagulant | needle_phobia | fear_avoidance | prior_episode | side    | baseline_rom_permille
        e1          | yes           | unknown       | yes            | unknown       | left    | 640
        e2          | yes           | unknown       | unknown        | unknown       | unknown |
        e3          | unknown       | no            | no             | unknown       | unknown |
        e4          | unknown       | no            | no             | unknown       | unknown |
        """,
    )


def test_trials_years_first_episodes_and_folds(sql: Sandbox) -> None:
    case_mix(sql)
    sql.expect(
        "marts.case_mix",
        """
        episode_key | is_trial | is_closed | period  | is_first_episode | fold
        e1          | false    | true      | 2024    | false            | 2
        e2          | false    | false     | 2023    | true             | 2
        e3          | true     | true      | unknown | false            | 3
        e4          | false    | true      | 2025    | true             | 3
        """,
    )


def test_pain_on_a_scale_of_0_to_10_only_and_the_latest_score_whatever_its_day(sql: Sandbox) -> None:
    case_mix(sql)
    sql.expect(
        "marts.case_mix",
        """
        episode_key | pain_measure_id | baseline_pain | last_pain | pain_change | latest_pain_change
        e1          | nprs_worst24h   | 8             | 3         | 5           | 5
        e2          |                 |               |           |             |
        e3          | nprs_worst24h   | 7             |           |             | 3
        e4          |                 |               |           |             |
        """,
    )


def test_function_is_a_share_of_the_scale_from_its_best_end(sql: Sandbox) -> None:
    case_mix(sql)
    sql.expect(
        "marts.case_mix",
        """
        episode_key | function_measure_id | baseline_function_permille | function_change_permille
        e1          | lefs                | 750                        | 500
        e2          |                     |                            |
        e3          | hit6                | 500                        |
        e4          | odi                 | 333                        | -167
        """,
    )


def test_in_care_at_the_landmark(sql: Sandbox) -> None:
    case_mix(sql)
    sql.expect(
        "marts.case_mix",
        """
        episode_key | recovered | unknown_reason | event_kind | is_in_care_at_landmark
        e1          | yes       |                | recovered  | true
        e2          | unknown   | still_open     |            | false
        e3          | no        |                | left       | false
        e4          | no        |                | left       | true
        """,
    )


def test_a_change_that_the_source_predicts_stands_beside_the_actual_one(sql: Sandbox) -> None:
    sql.con.execute("""
        insert into reference.measure (measure_id, measure_no, construct, better, low, high, predicts) values
        ('lefs_predicted', 901, 'function', 'higher', 0, 80, 'lefs')
    """)
    predicted = """
    1          | lefs_predicted | none | any           | 0            | 60       | 44             | 48
    4          | lefs_predicted | none | any           | 0            | 30       | 50             | 50
    """
    case_mix(sql, COURSE + predicted.strip("\n"))
    sql.expect(
        "marts.case_mix",
        """
        episode_key | function_measure_id | function_change_permille | predicted_function_change_permille
        e1          | lefs                | 500                      | 350
        e2          |                     |                          |
        e3          | hit6                |                          |
        e4          | odi                 | -167                     |
        """,
    )
