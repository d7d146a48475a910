"""The code of a logged model: MLflow copies this file next to the bundle and runs it to load the model."""

from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

import textmill
from textmill.config import shown


class Served(PythonModel):
    """Takes texts and gives a prediction and the probability of each class."""

    def load_context(self, context: PythonModelContext) -> None:
        self.classifier = textmill.load(context.artifacts["bundle"])

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Returns one row per text: prediction, confidence, and `p:LABEL` for each class.

        model_input: a frame whose one column is `text`, or has no name, as MLflow makes from a list of texts. Raises
        MlflowException, which a server answers with 400, if it is another one, or a row is no text.
        """
        (column,) = model_input.columns  # the signature allows no more
        if isinstance(column, str) and column != "text":
            raise _refused(f"column {column!r}: expected one column, `text`, or a list of texts")
        texts = model_input[column].tolist()
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise _refused(f"row {row}: expected a text, found {shown(text)}")
        labels = self.classifier.labels
        probabilities = self.classifier.predict_proba(texts)  # (N, C)
        table = pd.DataFrame(probabilities, columns=[f"p:{label}" for label in labels], index=model_input.index)
        table.insert(0, "prediction", [labels[best] for best in probabilities.argmax(axis=1)])
        table.insert(1, "confidence", probabilities.max(axis=1))
        return table


def _refused(why: str) -> MlflowException:
    return MlflowException.invalid_parameter_value(why)


set_model(Served())
