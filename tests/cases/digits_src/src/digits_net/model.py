"""The network."""

from sklearn.neural_network import MLPClassifier


def build(width, lr, seed):
    return MLPClassifier((width,), learning_rate_init=lr, batch_size=64, random_state=seed)
