"""Case-mix models and clinics after adjustment."""

from assets.contract.model import Statistic

PATIENTS = "closed episodes of routine care, the first of each patient, with the outcome known"
PREDICTORS = "what was known before treatment; nothing after the baseline"

STATISTICS = (
    Statistic(
        "case_mix_model",
        2,
        "Case-mix model",
        "How an outcome is expected to differ between patients by what was known about them before treatment.",
        numerator="none",
        denominator=PATIENTS,
        exclusions="open episodes; trials; later episodes of a patient; for recovery a baseline pain of 1 or less",
        window="baseline to discharge",
        method=f"logistic or linear mixed model with a random intercept per clinic; {PREDICTORS}; figures marked cv by "
        "five-fold cross-validation that keeps patients together; ten events or fifteen episodes per parameter; "
        "uniform shrinkage: coefficients times the cross-validated calibration slope, cut to 0 to 1, then the "
        "intercept moved so that expected equals observed; figures of fit are before shrinkage (the slope after it "
        "would be 1 by construction); standard errors and intervals of coefficients are of the unshrunken estimates",
        source="this project's proposal; Peduzzi 1996; Harrell 2015; Van Houwelingen & Le Cessie 1990 Stat Med "
        "9:1303-1325; Steyerberg 2019",
        of_recovery=True,
    ),
    Statistic(
        "case_mix_calibration",
        1,
        "Calibration of a case-mix model",
        "Whether expected outcomes come true, for patients grouped by how good an outcome was expected.",
        numerator="outcomes observed",
        denominator="patients in that part of the predictions, each predicted by a model that had not seen them",
        exclusions="as the model",
        window="baseline to discharge",
        method="mean expected, before shrinkage, against observed, by tenths of the prediction (fewer parts where "
        "these would be small); Wilson or Student's t interval, 95%",
        source="Steyerberg 2019, chapter 15",
        of_recovery=True,
    ),
    Statistic(
        "clinic_adjusted",
        2,
        "Observed minus expected",
        "How far a clinic's outcome lies from what is expected of patients like its own.",
        numerator="outcome observed minus outcome expected",
        denominator=PATIENTS,
        exclusions="as the models; conditions without a model are counted beside",
        window="baseline to discharge",
        method="expected from the fixed part of the case-mix model after shrinkage, recentred to equal observed over "
        "the network; Wilson or Student's t interval with expected taken as known; limits by chance at 95% and 99.8%: "
        "exact binomial, or from the spread of single patients within clinics; over-dispersion from 10 clinics: 10% "
        "winsorised z (shares on the arcsine scale), additive, limits never narrower than by chance; no comparison "
        "below 60% known outcomes",
        source="Spiegelhalter 2005 Stat Med 24:1185-1202; this project's proposal",
        of_recovery=True,
    ),
)
