"""A JSON API and a page over a trained run (extra `web`)."""

from igmc.web.app import make_app
from igmc.web.experiment import Arm, Experiment
from igmc.web.processes import run_processes
from igmc.web.security import check_token
from igmc.web.server import listen, serve
from igmc.web.service import Service
from igmc.web.swapping import Served
from igmc.web.watching import forget_process

__all__ = [
    "Arm",
    "Experiment",
    "Served",
    "Service",
    "check_token",
    "forget_process",
    "listen",
    "make_app",
    "run_processes",
    "serve",
]
