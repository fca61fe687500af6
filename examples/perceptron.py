"""A perceptron learned from a table with numbers, categories and missing values.

Run it with ``python examples/perceptron.py``.
"""

import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

import limen
from limen.learn import Perceptron, ThresholdEncoder, model
from limen.table_files import read

table = read(Path(__file__).parent / "adult.csv")
people, income = table.drop_columns("income"), table["income"].to_numpy(zero_copy_only=False)
training, test = train_test_split(range(len(income)), test_size=0.25, random_state=0, stratify=income)

# Columns become questions with the answer 0 or 1 ("age >= 37"); one neuron weighs the answers.
# Incomes overlap, so no epoch goes by without a mistake; averaged weights are made for that.
warnings.simplefilter("ignore", ConvergenceWarning)
learner = make_pipeline(ThresholdEncoder(), Perceptron(random_state=0, max_iter=30))
learner.fit(people.take(training), income[training])
print(f"Right on new rows: {learner.score(people.take(test), income[test]):.1%}")
print(f"Most frequent class: {max((income[test] == label).mean() for label in set(income)):.1%}")

# What was learned is a value of its own: a network, its inputs and its labels.
learned = model(learner, target="income")
print(repr(learned.network))
weights = learned.network.layers[0].weights[:, 0]
for i in abs(weights).argsort()[:-6:-1]:
    print(f"{weights[i]:+12,}  {learned.network.inputs[i]}")
limen.save(learned, "income.limen")
print("Loaded:", limen.load("income.limen").predict(people.slice(0, 3)))
