"""Several yes-or-no questions about one picture, learned at once: a neuron for each.

The pictures are handwritten digits of 8 × 8 pixels, which come with scikit-learn. Run it with
``python examples/several_outputs.py``.
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from limen.learn import Perceptron

QUESTIONS = ["even", "at least five", "has a loop"]

pixels, digits = load_digits(return_X_y=True)
answers = np.stack([digits % 2 == 0, digits >= 5, np.isin(digits, [0, 6, 8, 9])], axis=1).astype(int)
X, X_new, Y, Y_new = train_test_split(pixels, answers, test_size=0.25, random_state=0)

# Y has a column for each question; all three neurons see every picture once in each epoch. No straight cut
# answers every question without a mistake, which the perceptron would say.
warnings.simplefilter("ignore", ConvergenceWarning)
perceptron = Perceptron(random_state=0).fit(X, Y)
predicted = perceptron.predict(X_new)
for k, question in enumerate(QUESTIONS):
    right = (predicted[:, k] == Y_new[:, k]).mean()
    baseline = max(Y_new[:, k].mean(), 1 - Y_new[:, k].mean())
    print(f"{question:>14}: {right:.1%} right (always the same answer: {baseline:.1%})")
print(f"All three right: {(predicted == Y_new).all(axis=1).mean():.1%}")
print(repr(perceptron.network_))
