"""What can go wrong, by the code that a message begins with: what it means, what to do, and what is not lost.

``FAILURES`` is the one list of codes. The page of failure codes is made of it, and a test holds it to the code: every
code that is raised has its entry, and every entry is raised somewhere. A message itself says where and what; what is
here is the same for all messages of a code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One code. ``means`` and ``to_do`` are sentences; what stands between backquotes is typed as it is."""

    code: str
    means: str
    to_do: str


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Codes of one kind. ``kept`` says what is not lost whichever of them is met."""

    anchor: str
    title: str
    kept: str
    failures: tuple[Failure, ...]


REFUSED = FailureGroup(
    "refused",
    "A delivery is not read, or is refused",
    "The release in force stays, and other deliveries go on. What was sent is copied, never moved or changed. Of a "
    "delivery that was read and refused its record stays (`lake/<delivery>/delivery.json`), with code and sentence and "
    "the count of its rows; the rest of it does not. Correct what the sentence names and send it again. The same files "
    "under the same profile are known and are not read twice; under a changed profile they are.",
    (
        Failure(
            "NOT_FOUND",
            "The path leads nowhere, or nothing in the folder has a name that the profile expects.",
            "Check the path; compare the names of the files with `match` in the profile.",
        ),
        Failure("NOT_A_FILE", "The path is neither a file nor a folder.", "Name a file or folder."),
        Failure(
            "SYMLINK",
            "A symbolic link was sent. Links are not followed: they may lead anywhere on the machine.",
            "Send the file itself.",
        ),
        Failure(
            "FILENAME",
            "A name has signs that are not allowed, fits no file of the profile, or would be given twice.",
            "Rename the file, or correct `match` in the profile.",
        ),
        Failure(
            "UNREADABLE",
            "A file or folder cannot be opened, or rows in the lake are missing or damaged.",
            "Check its permissions for the account that runs are under. For rows of the lake run the delivery again; "
            "`needlepoint audit verify` names what else is damaged.",
        ),
        Failure(
            "INCOMPLETE",
            "A file is still being written, is not what its manifest says, or a file of the delivery is missing.",
            "Wait for the end of the upload; the landing folder is looked at every minute. If it stays so, have the "
            "whole delivery sent again.",
        ),
        Failure("EMPTY", "A file has no content, or no columns.", "Ask the sender whether the export ran to its end."),
        Failure(
            "ENCODING",
            "Bytes of the file are no text in the encoding that the profile states (UTF-8 if it states none).",
            "Declare `encoding` in the profile if the source always sends so; else have it exported as UTF-8.",
        ),
        Failure(
            "FORMAT",
            "The file is of another kind than its name or the profile says, has a password, or is packed in a way that "
            "is not read.",
            "Send it plain, or packed once by gzip or zip; declare `format` if it is of another kind.",
        ),
        Failure("TRUNCATED", "The file ends before its time or is damaged.", "Send it again."),
        Failure(
            "COMPRESSION",
            "Unpacked it would be so much larger than packed as no real export is. It was not unpacked.",
            "Send it without packing it. If you did not expect it, ask who put it there.",
        ),
        Failure("TOO_LARGE", "The file is larger than the limit.", "Send it in parts, each a delivery of its own."),
        Failure("TOO_MANY_ROWS", "The file has more rows than the limit.", "Send it in parts, each a delivery."),
        Failure("TOO_MANY_COLUMNS", "The header has more columns than the limit.", "Send what the profile names."),
        Failure(
            "SHEET",
            "The workbook has several sheets and the profile names none, or none of the name it gives.",
            "Declare `sheet` in the profile as the sheet is called.",
        ),
        Failure(
            "DELIMITER",
            "Fields are separated by another sign than the profile says.",
            "Declare `delimiter` in the profile if that is what this source sends.",
        ),
        Failure(
            "HEADER",
            "The first line names no columns: it is blank, merged, not readable, or none of the expected is there.",
            "Send a file whose first line has the names of its columns.",
        ),
        Failure(
            "STRUCTURE",
            "Records have other numbers of fields than the header, a quote is never closed, or rows were sent that "
            "could not be counted on reading.",
            "Look at the line that the sentence names; check quotes, separators and line ends of the export.",
        ),
        Failure(
            "SCHEMA_MISSING",
            "A column that the profile needs is missing: the export has changed, or the profile is of another source.",
            "Have it sent under the agreed name, or change the profile.",
        ),
        Failure(
            "SCHEMA_EXTRA",
            "There is a column that the profile does not know. It could hold anything, so that it is not let in.",
            "Have it left out, or list it under `ignored` in the profile after looking at what it is.",
        ),
        Failure("SCHEMA_DUPLICATE", "A column occurs twice.", "Send each column once."),
        Failure(
            "SCHEMA_TYPE",
            "A column of a Parquet file holds lists, bytes or other things that are no text, number or date.",
            "Have it written as text, numbers or dates, or list it under `ignored`.",
        ),
        Failure(
            "PHI_SUSPECTED",
            "Names of columns or values look like identifiers of patients. The sentence names columns and counts, "
            "never a value; of what was sent nothing is kept, raw copies included.",
            "Tell whoever answers for privacy, for the file has left the clinic. Have the source send surrogate keys: "
            "`needlepoint deidentify` makes such files on the clinic's own machine. Delete what lies in the landing "
            "folder.",
        ),
        Failure(
            "PROFILE",
            "The profile cannot be used, there is none of this name, or a delivery is refused under the profile as it "
            "is now; then its earlier reading stays in force.",
            "The sentence names file and line and what to write there. `needlepoint check` tries the profile and "
            "changes nothing.",
        ),
    ),
)
HELD = FailureGroup(
    "held",
    "A delivery is held back",
    "All of it is kept, raw files and typed rows, and none of its rows is counted. The release is built without it. It "
    "is judged again in the next run after something was decided about what holds it; a later delivery of the same "
    "source that is accepted ends the hold on the pages.",
    (
        Failure(
            "CHECK",
            "A blocking check failed on this delivery; the sentence names it.",
            "Open the page of the check: it says what it asks, has the query that lists the rows, and what to do. Then "
            "have the data corrected, or let it pass until a day with `needlepoint audit waive`.",
        ),
        Failure(
            "SCALE_DRIFT",
            "Scores have changed scale against what the same source sent before, as cm for mm. It cannot be waived.",
            "Ask the source. Declare the unit in the profile, or list the measure under `accept_drift` with the "
            "reason, and run the feed again.",
        ),
    ),
)
RUNS = FailureGroup(
    "runs",
    "A run does not end as it should",
    "The release in force is whole and stays in force; a release is switched in at the very end, by one link. What was "
    "read to its end stays read. The same command or job, run again, takes up what is left and gives the same bytes.",
    (
        Failure(
            "BUSY",
            "Somebody else writes to this home, or to this folder of bundles: the sentence says which command or run, "
            "its process and since when. A run of the daemon waits half an hour for its turn.",
            "Wait. If that process does not exist any more the lock is free already, for it ends with its holder; "
            "`needlepoint unlock` frees what a killed run still holds in Dagster.",
        ),
        Failure(
            "STORAGE",
            "Dagster's records cannot be opened: a setting of it, or its database.",
            "Call `needlepoint doctor`, which looks at both. Nothing was read or built.",
        ),
        Failure(
            "DISK",
            "No space is left, or a file could not be written or read. In Dagster it is tried twice more.",
            "Make room: `needlepoint releases prune` drops old releases, `needlepoint doctor` says how much is wanted. "
            "Then run the same again.",
        ),
        Failure(
            "IO",
            "A file or a database could not be used for a moment. The step is tried twice more.",
            "Nothing if the next try ends well. Else look at the disk and at who holds the warehouse open.",
        ),
        Failure(
            "PROGRAM",
            "An error of the program, which trying again does not mend. Texts of errors may quote values, so that only "
            "the kind of the error and lines of our code are told, in the metadata `where` of the failed step.",
            "Report kind and lines. Run the delivery or release again with the version of the program before, if there "
            "is one.",
        ),
        Failure(
            "FAILED",
            "Reading a delivery stopped for a reason that is not in the data.",
            "Open its failed run in Dagster: the failed step says DISK, IO or PROGRAM. Then run the same feed again; "
            "sensor `left_behind` tries once a day.",
        ),
        Failure(
            "KILLED",
            "The process of a run ended without a word: killed, out of memory, or the machine stopped.",
            "Look for the reason in the journal of the machine. What it held was freed; run it again, or let the "
            "daemon do so.",
        ),
        Failure(
            "OVERTAKEN",
            "A delivery, a decision or the code changed while the release was built, so that it is not published.",
            "Run it again, and do not install another version of the program during a run.",
        ),
        Failure(
            "ROLLED_BACK",
            "Somebody has put an older release in force, and nothing new is released until somebody ends that.",
            "`needlepoint audit log --kind rollback` says who and why. `needlepoint releases resume` ends it.",
        ),
    ),
)
HOME = FailureGroup(
    "home",
    "The home, or what is kept in it",
    "Nothing is changed by a command that says this. What is broken is named and never repaired by guess: put the file "
    "back from a backup, and let `needlepoint audit verify` say whether it is the one that was sealed.",
    (
        Failure(
            "HOME",
            "The folder cannot be written, or is not the home of any run.",
            "Name the home with `--home` or NEEDLEPOINT_HOME; check its permissions with `needlepoint doctor`.",
        ),
        Failure(
            "HOME_FORMAT",
            "Another version of this program wrote the home or read its deliveries, and this one would misread it.",
            "For an earlier one copy the home, then call `needlepoint upgrade`. For a later one use that version.",
        ),
        Failure(
            "RECORD",
            "The record of a delivery is damaged, or a later version wrote it.",
            "Put it back from a backup, or use that version.",
        ),
        Failure(
            "LEDGER",
            "A line of the ledger is not what was written, or the ledger cannot be read or written.",
            "Call `needlepoint audit verify` and put the ledger of the last backup back. No line is ever corrected by "
            "hand.",
        ),
        Failure(
            "HISTORY",
            "A file of the history of checks is not what was written, or the folder cannot be written.",
            "`needlepoint audit verify` names it; put it back from a backup, or check permissions and disk.",
        ),
        Failure(
            "WAREHOUSE",
            "The warehouse of a release is gone, damaged, open elsewhere, or of another version of DuckDB.",
            "Close what has it open, or run `needlepoint run` with any feed: it is built anew from the lake.",
        ),
        Failure(
            "OTHER_CODE",
            "Another version of this program made the release in force; its tables may not be those of this one.",
            "Run `needlepoint run` with any feed, known or new, then do what you wanted.",
        ),
        Failure("NO_RELEASE", "There is no release yet.", "Run `needlepoint run` with a feed first."),
        Failure(
            "CODE",
            "The code of a release was not kept, or is not that of its version.",
            "Put the archive in `code/` back from a backup. Releases of before code was kept cannot be built again.",
        ),
        Failure(
            "READING",
            "A delivery was read again since, and the reading that the release was made of was not kept.",
            "Compare releases that were made after it was read again.",
        ),
        Failure(
            "BUILD",
            "A state between two releases cannot be built with the kept code, so that the change cannot be split.",
            "Compare two releases of the same version of the code, or read the two releases side by side.",
        ),
    ),
)
CALLS = FailureGroup(
    "calls",
    "A command was called in a way that cannot be carried out",
    "Nothing was changed.",
    (
        Failure("SETTING", "A variable of the environment cannot be read.", "Compare it with the table in the README."),
        Failure(
            "RELEASE",
            "No release of this name is kept, or not what is needed to split it.",
            "Take a kept one: `needlepoint releases list`.",
        ),
        Failure(
            "DELIVERY",
            "No delivery has this id, or nothing was kept of it.",
            "Take an id of `needlepoint quarantine list`; what was refused has to be sent again.",
        ),
        Failure(
            "CLINIC",
            "No clinic has this key in the release, or nothing of it was set aside.",
            "Keys stand in `data/clinic.csv` of the site.",
        ),
        Failure(
            "THRESHOLD",
            "A decision about a threshold cannot be recorded as it is.",
            "Give the check, a number, who, and a reason; names are in the catalogue of checks.",
        ),
        Failure(
            "WAIVER",
            "A waiver cannot be recorded as it is, or that check cannot be waived.",
            "Give the check, who, a reason, and a last day that lies ahead.",
        ),
        Failure(
            "REBASE",
            "New limits of a chart cannot be recorded as they are.",
            "Give a series, condition, clinic and period that the chart shows.",
        ),
        Failure(
            "SIGN_OFF",
            "A signature cannot be put: the release is not kept, or is not what was sealed.",
            "Call `needlepoint audit verify`; what was changed is not signed.",
        ),
        Failure(
            "ROLLBACK",
            "Nothing to go back to or to end, or the kept release is not what was sealed.",
            "Take another one of `needlepoint releases list`; say who and why.",
        ),
        Failure(
            "WHAT_IF",
            "The history holds no result of this check, or none since that day.",
            "Names are in the catalogue of checks; name an earlier day.",
        ),
        Failure(
            "KEY_FILE",
            "The secret of the clinic cannot be used: not there, open to others, too short, or among the data.",
            "Do what the sentence says. Without the same key a patient gets another surrogate key.",
        ),
        Failure(
            "OUTPUT",
            "The folder for de-identified files exists, lies in a feed, or cannot be made.",
            "Name a new one elsewhere.",
        ),
        Failure("OUT", "The folder for bundles or fix lists cannot be written.", "Check it or give another `--out`."),
        Failure(
            "NOT_A_BUNDLE",
            "Something else than a bundle is where one should go; it would be replaced.",
            "Give another `--out`, or move it away.",
        ),
        Failure("NO_BUNDLE", "No bundle of this name is in the home.", "Call `needlepoint publish`."),
        Failure("PORT", "The port cannot be used.", "Give another `--port`."),
        Failure("REPORT", "The report cannot be written, or is neither .json nor .html.", "Give another file."),
    ),
)
FAILURES = (REFUSED, HELD, RUNS, HOME, CALLS)
"""In the order of the page."""
