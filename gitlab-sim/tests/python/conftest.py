"""Where the simulators are: told by the environment, never guessed, never skipped."""

import os
import pathlib

import gitlab
import pytest


def told(name):
    value = os.environ.get(name, "").strip()
    if not value:
        raise pytest.UsageError(f"{name} is not set: start the suite with gitlab-sim/tests/python/run SCHEMAS")
    return value


def instances():
    """`GITLAB_SIM_URL` holds `edition=url` pairs, or one address of a Premium simulator."""
    pairs = [entry.partition("=") for entry in told("GITLAB_SIM_URL").split()]
    return {edition if separator else "premium": url if separator else edition for edition, separator, url in pairs}


def pytest_generate_tests(metafunc):
    if "edition" in metafunc.fixturenames:
        metafunc.parametrize("edition", list(instances()), scope="session")


@pytest.fixture(scope="session")
def api(edition):
    """python-gitlab, signed in as an owner."""
    client = gitlab.Gitlab(instances()[edition], private_token=told("GITLAB_SIM_TOKEN"))
    client.auth()
    return client


@pytest.fixture(scope="session")
def scratch(api):
    """An empty project to write into."""
    return api.projects.get("sim-owner/second")


@pytest.fixture(scope="session")
def demo(api):
    """The seeded project, rich in everything."""
    return api.projects.get("shop/checkout")


@pytest.fixture(scope="session")
def schemas():
    folder = pathlib.Path(told("GITLAB_SCHEMAS"))
    if not (folder / "gitlabhq").is_dir():
        raise pytest.UsageError(f"GITLAB_SCHEMAS names no schema folder: {folder}")
    return folder
