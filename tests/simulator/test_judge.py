"""The judge reaches flowscan and prints a score."""

from __future__ import annotations

from .judge import main


def test_the_judge_scores_the_flowscan_in_reach(capsys):
    main(["--scale", "0.02", "--format", "v5", "--kinds", "cache-calls,guessing"])
    shown = capsys.readouterr().out
    assert "callers right   100.0000%" in shown
    assert "bytes           1.0000 x the truth" in shown
    assert "exposure: " in shown
