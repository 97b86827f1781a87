"""The measurements as tables for the terminal."""

from collections import defaultdict

from roundtrip.measure import Counts

Results = dict[str, dict[str, Counts]]
_EXAMPLES = 4
_COLUMNS = (
    ("exact", "exact", "formulas"),
    ("equiv", "equivalent", "formulas"),
    ("display", "display_kept", "equivalent"),
    ("placed", "placed", "placeable"),
    ("spurious", "spurious", "formulas"),
    ("prose R", "words_kept", "words"),
    ("prose P", "words_kept", "words_found"),
    ("leak", "leaked", "boilerplate"),
    ("code", "code_kept", "code"),
    ("rows", "rows_kept", "rows"),
)


def summed(rows: dict[str, Counts]) -> Counts:
    """All markups together."""
    total = Counts()
    for counts in rows.values():
        total.add(counts)
    return total


def print_totals(results: Results) -> None:
    """One line for each extractor."""
    print(f"\n{'extractor':18}" + "".join(f"{name:>9}" for name, _, _ in _COLUMNS) + "  prose F1  failed   pages/CPU-s")
    for name, rows in results.items():
        total = summed(rows)
        shares = "".join(f"{total.share(part, whole):9.3f}" for _, part, whole in _COLUMNS)
        speed = total.pages / total.cpu_s if total.cpu_s else float("nan")
        print(f"{name:18}{shares}{total.prose_f1:10.3f}{total.failed:8}{speed:14.0f}")
    print(
        f"{summed(next(iter(results.values()))).pages} pages, {summed(next(iter(results.values()))).formulas} formulas"
    )


def print_groups(results: Results, groups: dict[str, str], titles: dict[str, str]) -> None:
    """The share of equivalent formulas by group."""
    print(f"\n{'equivalent':18}" + "".join(f"{title:>21}" for title in titles.values()))
    for name, rows in results.items():
        by_group: dict[str, Counts] = defaultdict(Counts)
        for markup, counts in rows.items():
            by_group[groups[markup]].add(counts)
        print(f"{name:18}" + "".join(f"{by_group[group].share('equivalent', 'formulas'):21.4f}" for group in titles))


def print_markups(results: Results, groups: dict[str, str]) -> None:
    """The share of exact and equivalent formulas by markup; the exact one only for the first extractor."""
    names = list(results)
    print(f"\n{'markup':22} group {'formulas':>8}{'exact':>8}" + "".join(f"{name[:12]:>13}" for name in names))
    for markup in results[names[0]]:
        first = results[names[0]][markup]
        shares = "".join(f"{results[name][markup].share('equivalent', 'formulas'):13.3f}" for name in names)
        print(f"{markup:22} {groups[markup]:5} {first.formulas:8}{first.share('exact', 'formulas'):8.3f}{shares}")


def print_examples(results: Results, lost: dict[str, dict[str, list[str]]]) -> None:
    """Formulas that the first extractor did not recover, worst markups first."""
    name = next(iter(results))
    worst = sorted(results[name].items(), key=lambda item: item[1].share("equivalent", "formulas"))
    for markup, counts in worst:
        if lost[name][markup]:
            print(f"\n{name} {markup} {counts.share('equivalent', 'formulas'):.3f}")
            print(
                "\n".join(f"    {example[:200]!r}" for example in dict.fromkeys(lost[name][markup][:40]))[
                    : 230 * _EXAMPLES
                ]
            )
