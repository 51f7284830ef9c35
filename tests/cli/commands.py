"""The commands by the name that a user types."""

from igmc.cli.data import data_command
from igmc.cli.doctor import doctor_command
from igmc.cli.evaluate import evaluate_command
from igmc.cli.explain import explain_command
from igmc.cli.extract import extract_command
from igmc.cli.main import _igmc
from igmc.cli.plot import plot_command
from igmc.cli.predict import predict_command
from igmc.cli.ratings import ratings_command
from igmc.cli.recommend import recommend_command
from igmc.cli.serve import serve_command
from igmc.cli.similar import similar_command
from igmc.cli.train import train_command
from igmc.cli.transfer import transfer_command
from igmc.cli.tune import tune_command

COMMANDS = {
    "igmc": _igmc,
    "igmc-data": data_command,
    "igmc-doctor": doctor_command,
    "igmc-evaluate": evaluate_command,
    "igmc-explain": explain_command,
    "igmc-extract": extract_command,
    "igmc-plot": plot_command,
    "igmc-predict": predict_command,
    "igmc-ratings": ratings_command,
    "igmc-recommend": recommend_command,
    "igmc-similar": similar_command,
    "igmc-serve": serve_command,
    "igmc-train": train_command,
    "igmc-transfer": transfer_command,
    "igmc-tune": tune_command,
}
