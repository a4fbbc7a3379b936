"""The scans, and how they are split."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def split(share, seed=0):
    """(x_train, x_val, y_train, y_val), the second share to validate."""
    digits = load_digits()
    return train_test_split(digits.data / 16, digits.target, test_size=share, random_state=seed, stratify=digits.target)
