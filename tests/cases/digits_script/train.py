"""Train a small classifier of digits: python train.py --lr 0.01 --width 64"""

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--width", type=int, default=16, help="hidden units")
    parser.add_argument("--activation", choices=["relu", "tanh"], default="relu")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--early-stop", action="store_true", help="end when it is good enough")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    digits = load_digits()
    x_train, x_val, y_train, y_val = train_test_split(digits.data / 16, digits.target, test_size=0.4, random_state=0)
    model = MLPClassifier(
        (args.width,), activation=args.activation, learning_rate_init=args.lr, batch_size=64, random_state=args.seed
    )
    for epoch in range(1, args.epochs + 1):
        model.partial_fit(x_train, y_train, classes=np.arange(10))
        accuracy = model.score(x_val, y_val)
        print(f"epoch {epoch}/{args.epochs} train_loss={model.loss_:.4f} val_accuracy={accuracy:.4f}", flush=True)
        if args.early_stop and accuracy > 0.9:
            break


if __name__ == "__main__":
    main()
