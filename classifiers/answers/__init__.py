"""Whether an answer is right: the one checker that reward, evaluation and QA synthesis share.

    response ── rules ──▶ answer ─┐
                                  ├─ equivalence (text and exact numbers, here) ─▶ Verdict
    column ─── truths ─▶ truth ───┘        └─ algebra (math-verify, in a child process that can be killed)

Standard library and math-verify alone, relative imports alone: the folder works under any name it is copied to.
"""
