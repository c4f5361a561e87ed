"""What an engineer meets that has no code: exit codes, words of commands, Dagster, alerts, the doctor, broken seals.

The runbook page is made of it. A test holds what is listed here to what the program has: kinds of alerts, topics of the
doctor, findings of ``audit verify``, sensors and schedules, and the words that commands begin their lines with.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Situation:
    """``key`` is what the program says or calls it; ``means`` and ``to_do`` are sentences."""

    key: str
    means: str
    to_do: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """Situations of one kind. ``opening`` says what holds for all of them."""

    anchor: str
    title: str
    opening: str
    situations: tuple[Situation, ...]


EXIT_CODES = Chapter(
    "exit-codes",
    "How a command ends",
    "Results go to standard output, progress to standard error. Before the sentence of a problem stands its code. "
    "A traceback instead of a sentence is an error of the program: report it, after a look whether it quotes a value.",
    (
        Situation("0", "Done.", "Nothing has to be done."),
        Situation(
            "1",
            "Done, but something needs you: a delivery or the release is held back (the old release stays), the doctor "
            "found something wrong, a seal is broken, a receiver of alerts was not reached, a bundle was not made, a "
            "generated document is out of date.",
            "Read the lines: each says what and why.",
        ),
        Situation("2", "The call or the whole input cannot be used; nothing was changed.", "Correct what it names."),
    ),
)
LINES = Chapter(
    "lines",
    "Lines of a run",
    "What `needlepoint run`, `quarantine retry`, `upgrade` and `publish` print about what did not go through.",
    (
        Situation(
            "Not read",
            "Something in the feed could not become a delivery.",
            "See the code that follows. The rest of the feed was read.",
        ),
        Situation(
            "Failed",
            "A delivery was landed and not read to its end, or the release was overtaken.",
            "See the code that follows, then the failed run in Dagster.",
        ),
        Situation(
            "Held back",
            "A blocking check or a change of scale keeps this delivery out; the others are released without it.",
            "See CHECK and SCALE_DRIFT.",
        ),
        Situation(
            "Not released",
            "A check holds the release, a step of it failed, or somebody rolled back. The release before stays.",
            "Open the page of the check, or the failed step in Dagster. `needlepoint audit waive` lets what may be "
            "waived pass until a day.",
        ),
        Situation(
            "Not made",
            "A bundle was not written: its audience needs a signature that is missing or that refuses, or there are "
            "two clinics and each would see the other.",
            "Look at the release, then `needlepoint audit sign`. A network of two clinics has no bundles of clinics.",
        ),
    ),
)
PREFLIGHT = Chapter(
    "preflight",
    "What needlepoint check finds",
    "It judges a feed as a run would and keeps nothing: neither the home nor the feed is changed.",
    (
        Situation("would be refused", "The delivery cannot be read; the code follows.", "See the code."),
        Situation("would be held", "A blocking check or a change of scale would keep it out.", "See CHECK."),
        Situation(
            "Would not be released",
            "With this delivery the release as a whole would be held, by the check that is named.",
            "Correct what the check lists before you run the feed.",
        ),
        Situation(
            "Not in this feed",
            "Rows whose patient, episode or visit is not in the feed; it was judged without a home.",
            "Name the home with `--home`; what remains then is truly missing.",
        ),
        Situation(
            "Warning",
            "A check that holds nothing back found more than it should.",
            "Look at the first row it names, and at how the data came about.",
        ),
    ),
)
SERVICES = Chapter(
    "dagster",
    "Dagster and its services",
    "The release in force does not depend on Dagster: pages stay readable whatever has stopped. Runs are begun again "
    "from their first step; what a dead one had half built is swept away first.",
    (
        Situation(
            "A run waits in the queue",
            "One run writes at a time; the others wait. That is as it should be while one is at work.",
            "If none is at work: call `needlepoint unlock`. It says of runs whose process has ended that they failed, "
            "and frees their places; sensor `killed_runs` does the same every minute.",
        ),
        Situation(
            "A run is at work and does not end",
            "It may wait for the home (its log says BUSY and who holds it, for up to half an hour), or be long. A run "
            "of a delivery is ended after two hours, a release after six.",
            "Read the last lines of its log. Cancel it in Dagster if it hangs: nothing is lost by it.",
        ),
        Situation(
            "The daemon has stopped",
            "No schedule, no sensor and no waiting run starts; nothing that arrives is read. A timer tells alerts all "
            "the same.",
            "`systemctl status needlepoint-daemon`, look into its journal, start it. What arrived meanwhile is read.",
        ),
        Situation(
            "The web server or the code server does not answer",
            "Pages of Dagster do not open, or say that code cannot be loaded. Data and site are not touched.",
            "`systemctl restart needlepoint-code needlepoint-webserver`; `dg check defs` says whether the code loads.",
        ),
        Situation(
            "PostgreSQL cannot be reached",
            "Dagster cannot write down its runs, so that none starts. The home itself is in files.",
            "`needlepoint doctor` says what of the connection is wrong. Start it; runs go on by themselves.",
        ),
        Situation(
            "A check of Dagster fails",
            "Every rule is a check of its own there. A blocking one fails its run on purpose, and no retry follows.",
            "Do what the page of the check says; the run need not be launched again before something has changed.",
        ),
    ),
)
AUTOMATION = Chapter(
    "automation",
    "Sensors and schedules that do nothing",
    "Each says at every look why it starts nothing; Dagster shows it under Automation. A code before it is one of the "
    "failure codes.",
    (
        Situation(
            "new_deliveries",
            "Lands what lies whole in `landing/<profile>/`: nothing in it has changed for half a minute.",
            "A file that is not read: is its folder called as its profile, is it still growing, does it wait for its "
            "manifest? What could not be landed is named there, and by `needlepoint doctor` as long as it stands.",
        ),
        Situation(
            "decided_deliveries",
            "Judges a held delivery again after a decision about it.",
            "Nothing: it is silent until somebody decides.",
        ),
        Situation(
            "left_behind",
            "Reads once a day what was landed and never read to its end.",
            "If the same delivery comes back every day, open its failed run.",
        ),
        Situation(
            "killed_runs",
            "Frees what runs hold whose process has ended.",
            "If it frees one again and again, look for what kills it: memory, a time limit of the service.",
        ),
        Situation(
            "alerts", "Tells what stands now.", "`needlepoint alerts list` says what could not be sent, and why."
        ),
        Situation(
            "alert_failed_runs",
            "Tells of a run that failed and is not begun again.",
            "As above.",
        ),
        Situation(
            "nightly_release",
            "Builds a release at 06:00 UTC, or when NEEDLEPOINT_RELEASE_TIMES says, if anything has changed.",
            "It says so if nothing has changed, if nothing was accepted yet, if a release is being built, or if "
            "somebody rolled back.",
        ),
    ),
)
ALERTS = Chapter(
    "alerts",
    "Alerts",
    "Each is told once, once more when it is over, and again after a week. `needlepoint alerts list` says what stands "
    "now and who knows. A receiver that was not reached is told the next time and never fails a run.",
    (
        Situation(
            "check",
            "A check warned, failed or could not be evaluated, in the last release or the newest delivery of a source.",
            "Open its page: what it asks, the query for its rows, what to do.",
        ),
        Situation(
            "run",
            "The last run of the command line failed, or began more than six hours ago and has not ended.",
            "Run the same command again and read what it says.",
        ),
        Situation(
            "job",
            "A run of the daemon failed and is not tried again.",
            "Open the run in Dagster: its failed step begins with a code. Launch it again when the reason is gone.",
        ),
        Situation(
            "stale",
            "A source that sent regularly has been silent for longer than is usual for it.",
            "Ask the clinic whether its export still runs; look into the landing folder.",
        ),
        Situation(
            "held",
            "A release is held by a check, or a delivery is held or refused.",
            "`needlepoint audit status` names what is held; `needlepoint check`, with the feed, says why.",
        ),
        Situation(
            "left",
            "A delivery was landed more than six hours ago and never read to its end, or something in the landing "
            "folder cannot be read.",
            "Run the same feed again, or open its failed run in Dagster; `needlepoint doctor` names what is not "
            "landed.",
        ),
        Situation(
            "sensor",
            "The daemon has stopped, or a sensor or schedule is off, fails three times in a row, or is silent.",
            "Start the daemon; switch it on under Automation; its last tick says why it fails.",
        ),
        Situation(
            "home",
            "What alerts are read from cannot be read, so that nothing is known of the kinds it names.",
            "`needlepoint doctor` and `needlepoint audit verify` name what is broken.",
        ),
    ),
)
UNSENT = Chapter(
    "unsent",
    "Why an alert was not sent",
    "`needlepoint alerts test` tries every receiver.",
    (
        Situation("it refused the address", "The mail server does not take mail for it.", "Correct the address."),
        Situation("it did not answer in time", "Nothing came back.", "Check address, port and firewall."),
        Situation(
            "its certificate or its encryption cannot be used",
            "TLS failed: an unknown certificate, another name, or no common version.",
            "Mend the certificate; an authority of your own must be known to the machine.",
        ),
        Situation("it refused or broke the connection", "Nothing listens there.", "Check host and port."),
        Situation("it may not be written", "The account may not write the file.", "Check its permissions."),
        Situation(
            "it answered …",
            "The receiver answered with this number, and not that it took the message.",
            "The number is a status of HTTP or of mail: 401 and 535 are a wrong token or password.",
        ),
        Situation("it cannot be reached or written", "Another error; its kind follows.", "Check the address or path."),
        Situation(
            "it took longer than … seconds",
            "It answers too slowly for all receivers to be told within the time of a run.",
            "Nothing if it is told the next time; else use another receiver.",
        ),
        Situation(
            "it offers no TLS, and a password is not sent without it",
            "The mail server does not offer STARTTLS.",
            "Use one that does, or port 465.",
        ),
    ),
)
DOCTOR = Chapter(
    "doctor",
    "What needlepoint doctor looks at",
    "Each finding says what it found and what to do. `wrong` has to be put right, `note` is worth knowing. It changes "
    "nothing.",
    (
        Situation("python", "The version of Python.", "Use the one it asks for."),
        Situation(
            "packages",
            "A package is missing or is not in the version that was measured with the others.",
            "Install again from the lock file, as the README says.",
        ),
        Situation(
            "settings",
            "A setting cannot be read, or a variable looks like a setting and is none: a misspelt one goes unseen.",
            "Compare it with the table in the README.",
        ),
        Situation(
            "secrets",
            "Others may read the file with the passwords of a server.",
            "`chmod 600` it and change the passwords.",
        ),
        Situation(
            "alerts",
            "Nobody is told when something fails, or a setting of alerts cannot be used.",
            "Set a receiver and try it with `needlepoint alerts test`.",
        ),
        Situation(
            "chromium", "No browser for the tests of the pages; nothing else needs it.", "Nothing has to be done."
        ),
        Situation(
            "home",
            "The home is no folder, or of another version of the program.",
            "Name another one, or see HOME_FORMAT.",
        ),
        Situation(
            "disk",
            "Less room than the next release wants.",
            "Make room, or call `needlepoint releases prune`.",
        ),
        Situation(
            "permissions",
            "Others may open the home, this account may not write to it, or parts belong to somebody else.",
            "Call the `chmod` or `chown` it prints. Then always work as the same account.",
        ),
        Situation(
            "dagster",
            "Dagster's settings differ from the shipped ones where they must not, or belong to another home.",
            "Copy the part it names out of the shipped file; set DAGSTER_HOME as it says. Settings of an earlier "
            "version that nobody changed are replaced by `needlepoint upgrade`.",
        ),
        Situation(
            "postgresql",
            "No connection, no driver, another clock, or a daemon that is not at work.",
            "See Dagster and its services.",
        ),
        Situation(
            "clock",
            "The machine and the disk do not agree on the time, or the clock went back.",
            "Let both keep network time. Entries of the ledger stay in their order whatever the clock says.",
        ),
        Situation(
            "writer", "Who is writing to the home now.", "Nothing: it is worth knowing before you stop a machine."
        ),
        Situation(
            "landing",
            "Something in the landing folder can be read by nobody; the failure code follows.",
            "See the code. Have it sent in another way, or take it away.",
        ),
        Situation(
            "deliveries",
            "Deliveries that were landed and not read to their end.",
            "`needlepoint unlock`, then run the same feed again.",
        ),
    ),
)
SEALS = Chapter(
    "seals",
    "What needlepoint audit verify finds broken",
    "Before each stands the file or the line of the ledger. Nothing is repaired: put what is named back from a backup "
    "and verify again. If it cannot be put back, tell whoever answers for the numbers: the release is not the one that "
    "was sealed.",
    (
        Situation("it is not what was sealed", "The file has changed since.", "Put it back from a backup."),
        Situation("it is gone", "A file that was sealed is not there.", "Put it back from a backup."),
        Situation(
            "nobody sealed it: it was added, or the end of the ledger was cut off",
            "A file, pack or release that the ledger does not know.",
            "Find out who put it there; compare the ledger with that of your last backup.",
        ),
        Situation(
            "it leads to a release that is gone",
            "The link `current` points nowhere.",
            "Put the release back, or `needlepoint releases rollback` to a kept one.",
        ),
        Situation(
            "it does not lead to the release that the ledger says was put in force last: somebody moved it, or a run "
            "died; run again, or use `needlepoint releases rollback`",
            "The link was set by hand, or a run died at the very end.",
            "As it says; what was set by hand stands in no ledger.",
        ),
        Situation(
            "the entry it names is not in the ledger: that lost its end, or this changed",
            "A release names an entry that is not there.",
            "Compare the ledger with your backup and with a head that you keep elsewhere.",
        ),
        Situation(
            "of the entries it quotes … are not in the ledger: that changed, or lost its end",
            "The same, of an evidence pack.",
            "As above.",
        ),
        Situation(
            "it does not say what an entry of its kind says",
            "A line was written by something else than this program, or by a later version.",
            "Use that version, or put the ledger back.",
        ),
        Situation(
            "its last line was not written to its end; the next entry will say so",
            "A machine stopped while it was written.",
            "Nothing: the next entry records it.",
        ),
        Situation(
            "the entry with the head that was given is not in it: its end was cut off, or it changed",
            "The head you gave is not in this ledger.",
            "Check that it is a head of this home. If it is, put the ledger of the last backup back and tell it.",
        ),
        Situation(
            "it is not what was sealed; delete it, and it is made again from the history files",
            "A file that only makes reading quicker.",
            "Delete it.",
        ),
        Situation("it is not the record of a delivery", "See RECORD.", "Put it back from a backup."),
        Situation("its id is not that of its files", "Files or record of a delivery were exchanged.", "As above."),
        Situation(
            "it is not the profile the delivery was read with",
            "The copy of the profile beside a delivery was changed.",
            "As above. To read under a new profile there is `needlepoint quarantine retry`.",
        ),
        Situation(
            "these are not the rows that a release was made from",
            "Typed rows were changed.",
            "Put them back, or read the delivery again from its raw files with a run.",
        ),
    ),
)
CHAPTERS = (EXIT_CODES, LINES, PREFLIGHT, SERVICES, AUTOMATION, ALERTS, UNSENT, DOCTOR, SEALS)
"""In the order of the page."""
