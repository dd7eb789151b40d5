"""The page on deployment and what it tells of: neither knows a right or a name that the other does not."""

from __future__ import annotations

import re

from .conftest import CLOUD_RUN, DEPLOY, ROOT

PAGE = (ROOT / "docs" / "how-to" / "deploy-cloud-run.md").read_text()
SCRIPT = (CLOUD_RUN / "deploy.sh").read_text()
ON_CONDITION = {"roles/bigquery.dataViewer", "roles/cloudsql.client"}
"""Rights for who wants more, or less, than the script sets up."""
ROLE = re.compile(r"roles/\w+\.\w+")


def test_every_right_is_given_and_told():
    assert set(ROLE.findall(PAGE)) - ON_CONDITION == set(ROLE.findall(SCRIPT))


def test_every_identity_is_made_and_told():
    made = set(re.findall(r"\$\(account ([\w-]+)", SCRIPT))
    assert made == {"rushes-bigquery", "rushes-pubsub", "rushes-scheduler", "rushes-builder", "url-processor"}
    assert [name for name in made if f"`{name}`" not in PAGE] == []


def test_the_script_s_variables_are_those_that_the_page_sets():
    with_the_script = PAGE.split("## In one command")[1].split("\n## ")[0]
    told = set(re.findall(r"\b([A-Z_]{4,})=", with_the_script))
    usage = SCRIPT.split("<<'END'")[1].split("\nEND")[0]
    assert "DATABASE_SECRET" in told
    assert told <= set(re.findall(r"\b[A-Z_]{3,}\b", usage))


def test_files_that_are_named_are_there():
    for name in re.findall(r"`(deploy/[\w./-]+\.\w+)`", PAGE):
        assert (ROOT / name).is_file(), name
    assert (DEPLOY / "kubernetes" / "pubsub-scaledjob.yaml").is_file()
