"""The command `octo`: mounts the verbs of every folder and turns explained errors into exit codes.

Nothing heavy is imported here: a verb's module is loaded when the verb is used, so that `octo --help` stays fast.
Exit 0: done. 1: a failure that was explained. 2: bad usage. A bug keeps its traceback.
"""

import importlib
import os
import shlex
import signal
import sys
import time

import click

# verb -> (module, attribute, the line `octo --help` shows)
COMMANDS = {
    "corpus": ("curation.commands", "corpus", "Build, list, sample and explain corpus versions."),
    "classifier": ("classifiers.commands", "classifier", "Train, evaluate and apply text classifiers."),
    "query": ("manifests.commands", "query", "Run one read-only SQL query over the catalog."),
    "catalog": ("manifests.commands", "catalog", "Look into the catalog and rebuild it from the records."),
    "mixture": ("mixtures.commands", "mixture", "Plan mixtures and write them as token windows in training order."),
    "train": ("training.commands", "train", "Plan and launch the stable phase and its decay branches."),
    "rl": ("training.rl.commands", "rl", "Plan, launch and watch reinforcement learning from a checkpoint."),
    "eval": ("training.commands", "evaluation", "Measure checkpoints on held-out text."),
    "check": ("manifests.commands", "check", "Find every mistake in every manifest at once."),
    "engines": ("training.commands", "engines", "Say which executors and training engines this machine can use."),
    "demo": ("octo", "demo", "Run the whole road on a small scale."),
}


class LazyGroup(click.Group):
    """A group that knows its verbs' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="octocorpus", prog_name="octo")
def octo() -> None:
    """OctoCorpus turns raw web pages into versioned mathematics corpora and carries them into training.

    Everything lands in the data folder: --data DIR of each command, else $OCTO_DATA, else ./octo-data.
    Data goes to stdout, progress to stderr.
    """


# The whole road as the commands a person would type; a failing line ends the demo with its explanation.
DEMO = [
    "corpus build demo-web",
    "corpus build demo-short-qa",
    "corpus build demo-long-cot",
    "corpus build demo-instructions",
    "corpus build demo-general",
    "corpus list",
    "query \"SELECT stage, reason, records FROM reasons WHERE corpus = 'demo-web@1' ORDER BY records DESC LIMIT 8\"",
    "mixture plan demo-stable",
    "mixture tokenize demo-stable",
    "mixture tokenize demo-decay-long",
    "mixture tokenize demo-decay-short",
    "mixture tokenize demo-decay-hybrid",
    "mixture verify demo-decay-hybrid@1",
    "train plan demo-train",
    "train launch demo-train",
    "eval run demo-heldout --checkpoint demo@1/stable --checkpoint demo@1/long --checkpoint demo@1/short"
    " --checkpoint demo@1/hybrid",
    "corpus build demo-arithmetic",
    "corpus build demo-notebook",
    "mixture tokenize demo-notebook-windows",
    "train launch demo-base",
    "rl plan demo-rl --probe",
    "rl launch demo-rl --stop-on collapse",
    "rl check demo-rl@1",
]
TRY_NEXT = [
    "corpus explain demo-web shop.example.com",
    "corpus sample demo-web --removed-by dedup",
    'query "SELECT source, count(*) AS pages, sum(num_formulas) AS formulas FROM documents'
    " WHERE corpus = 'demo-web@1' GROUP BY ALL ORDER BY 3 DESC\"",
    'query "SELECT phase, min(loss), max(learning_rate) FROM metrics GROUP BY phase"',
    "rl health demo-rl",
    'query "SELECT rollout_step, reward, accuracy, response_tokens_mean FROM rollouts"',
    'query "SELECT rollout_step, prompt, text, reason FROM responses WHERE score < 0 ORDER BY 1 DESC LIMIT 5"',
    'query "SELECT domain, phase, round(loss, 3) AS loss FROM evaluations ORDER BY 1, 3"',
    'query "SELECT d.corpus, coalesce(d.url, d.id) AS document, sum(s.num_tokens) AS tokens_seen FROM spans s'
    ' JOIN documents d ON d.id = s.document_id GROUP BY ALL ORDER BY 3 DESC LIMIT 5"',
]


@click.command()
@click.option("--data", metavar="DIR", help="The data folder [default: $OCTO_DATA or ./octo-data].")
def demo(data: str | None) -> None:
    """Run the whole road on a small scale: WARC, corpora, SQL, mixtures, mid-training, evaluation, RL.

    Takes some minutes on a laptop without a GPU. What is finished is not done again.
    """
    if data:
        os.environ["OCTO_DATA"] = data
    started = time.monotonic()
    for number, line in enumerate(DEMO, 1):
        click.secho(f"\n[{number}/{len(DEMO)}] $ octo {line}", err=True, bold=True)
        octo.main(shlex.split(line), prog_name="octo", standalone_mode=False)
    folder = os.environ.get("OCTO_DATA", "octo-data")
    click.secho(f"\nThe whole road took {time.monotonic() - started:.0f} s. What was made lies in {folder}:", err=True)
    click.echo("  corpora/      seven versions with shards, the fate of every record, build.json\n"
               "  mixtures/     five phases as token windows in training order, each with its lock.json\n"
               "  runs/demo@1/  the stable phase and three branches, each with export/ for transformers\n"
               "  runs/demo-rl@1/  a base taught sums by reward alone: every response, lengths, alarms, export/\n"
               "  evals/        held-out loss of every checkpoint\n"
               "  catalog.duckdb", err=True)  # fmt: skip
    click.secho(f"\nTry next (with OCTO_DATA={folder}):", err=True)
    for line in TRY_NEXT:
        click.echo(f"  octo {line}", err=True)


def main() -> None:
    """Runs the command line; returns to the shell with 0, 1 or 2, and lets bugs keep their traceback."""
    from manifests.errors import OctoError

    _work_offline()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cluster's polite end is treated as Ctrl-C
    try:
        octo.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except OctoError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: nothing unfinished was registered. Run the same command again to go on.", err=True)
        sys.exit(1)


def _work_offline() -> None:
    """No library may download behind the user's back."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


if __name__ == "__main__":
    main()
