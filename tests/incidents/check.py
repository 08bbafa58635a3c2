"""Runs the incidents and holds their summaries to what is wanted: check.py TRACELOOP PLACE POSTGRES [PATTERN]."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from incidents import INCIDENTS

traceloop, place, postgres, pattern = sys.argv[1:5]
WORDS = {"d": place, "p": f"{place}/bin", "python": "/usr/bin/python3", "postgres": postgres}
# What is named in summaries today; it may not fall.
SHARE = 0.9


def summary(number, incident):
    """What traceloop says of it, or why it says nothing."""
    out = f"{place}/out.{number}"
    command = incident.command.format(**WORDS)
    ran = subprocess.run(
        [traceloop, "run", "--format", "json", "-o", out, "--", "sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=120,
        cwd=place,
    )
    try:
        with open(out) as dump:
            return json.loads(dump.readline())["summary"]["text"]
    except (OSError, ValueError, KeyError) as error:
        return f"({error}: {ran.stderr.decode(errors='replace')[-400:]})"


chosen = [incident for incident in INCIDENTS if re.search(pattern, incident.name)]
with ThreadPoolExecutor(2) as pool:
    told = list(pool.map(summary, range(len(chosen)), chosen))
named, false = 0, 0
for incident, text in zip(chosen, told):
    missing = [wanted for wanted in incident.wanted if not re.search(wanted, text)]
    wrong = [unwanted for unwanted in incident.unwanted if re.search(unwanted, text)]
    named += not missing and not wrong
    false += bool(wrong)
    if missing or wrong or pattern:
        print(f"{incident.name}:\n    {text}")
    if missing:
        print(f"    lacks {', '.join(missing)}")
    if wrong:
        print(f"    has {', '.join(wrong)}, which is not so")
print(f"incidents: {named} of {len(chosen)} are named ({100 * named // max(1, len(chosen))} %)")
sys.exit(named < SHARE * len(chosen) or false > 0)
