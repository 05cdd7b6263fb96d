"""The peers' side of `npm run bench -- train-trees` and `-- tree-quality`: one request a line of JSON on stdin, one answer a line on stdout.

Rows lie as raw float32 files in the folder that a request names. Timed is what the other side times: from an array in memory to a trained model,
binning included; reading files and answering the test rows are not. Raw answers (sums, log-odds) go back as a file, so that one program measures
the losses of all.
"""

import hashlib
import json
import os
import resource
import sys
import time

import numpy as np


def read(folder, name, shape):
    return np.fromfile(os.path.join(folder, name + ".f32"), dtype=np.float32).reshape(shape)


def lightgbm_peer():
    import lightgbm

    objectives = {"squared-error": "regression", "absolute-error": "regression_l1", "quantile": "quantile", "log-loss": "binary", "multiclass": "multiclass"}

    def train(features, targets, weights, settings, request):
        objective, growth = settings["objective"], settings["growth"]
        parameters = {
            "objective": objectives[objective["kind"]],
            "learning_rate": settings["learningRate"],
            "num_leaves": growth["maxLeaves"] if growth["kind"] == "leaf-wise" else 2 ** growth["maxDepth"],
            "max_depth": growth["maxDepth"],
            "max_bin": settings["maxBins"],
            "lambda_l2": settings["lambda"],
            "min_sum_hessian_in_leaf": settings["minHessian"],
            "min_data_in_leaf": settings["minRows"],
            "min_gain_to_split": settings["minGain"],
            "num_threads": settings["threads"],
            "seed": settings["seed"],
            "verbose": -1,
        }
        if objective["kind"] == "quantile":
            parameters["alpha"] = objective["level"]
        if objective["kind"] == "multiclass":
            parameters["num_class"] = objective["classes"]
        if request.get("layout") in ("row", "col"):
            parameters["force_%s_wise" % request["layout"]] = True
        data = lightgbm.Dataset(features, targets, weight=weights)
        return lightgbm.train(parameters, data, settings["rounds"])

    def answer(model, features, settings):
        return model.predict(features, raw_score=True, num_threads=settings["threads"])

    def text(model):
        return model.model_to_string().encode()

    return lightgbm.__version__, train, answer, text


def sklearn_peer():
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    losses = {"squared-error": "squared_error", "absolute-error": "absolute_error", "quantile": "quantile"}

    def train(features, targets, weights, settings, request):
        objective, growth = settings["objective"], settings["growth"]
        parameters = dict(
            learning_rate=settings["learningRate"],
            max_iter=settings["rounds"],
            max_leaf_nodes=growth["maxLeaves"] if growth["kind"] == "leaf-wise" else None,
            max_depth=growth["maxDepth"],
            min_samples_leaf=settings["minRows"],
            l2_regularization=settings["lambda"],
            max_bins=settings["maxBins"],
            early_stopping=False,
            random_state=settings["seed"],
        )
        if objective["kind"] in losses:
            if objective["kind"] == "quantile":
                parameters["quantile"] = objective["level"]
            model = HistGradientBoostingRegressor(loss=losses[objective["kind"]], **parameters)
        else:
            model = HistGradientBoostingClassifier(**parameters)
        return model.fit(features, targets, sample_weight=weights)

    def answer(model, features, settings):
        return model.decision_function(features) if hasattr(model, "decision_function") else model.predict(features)

    return sklearn.__version__, train, answer, None


PEERS = {"lightgbm": lightgbm_peer, "sklearn": sklearn_peer}


def serve(name):
    version, train, answer, text = PEERS[name]()
    print(json.dumps({"ready": True, "version": version}), flush=True)
    loaded, rows = None, None
    for line in sys.stdin:
        request = json.loads(line)
        folder, columns, settings = request["folder"], request["columns"], request["settings"]
        if loaded != folder:
            weights = read(folder, "train-weights", -1) if request["isWeighted"] else None
            rows = read(folder, "train-features", (-1, columns)), read(folder, "train-targets", -1), weights, read(folder, "test-features", (-1, columns))
            loaded = folder
        features, targets, weights, test = rows
        began, cpu = time.perf_counter(), time.process_time()
        model = train(features, targets, weights, settings, request)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        np.asarray(answer(model, test, settings), dtype=np.float32).tofile(request["answers"])
        print(
            json.dumps(
                {
                    "seconds": seconds,
                    "cpuSeconds": cpu_seconds,
                    "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                    "hash": None if text is None else hashlib.sha256(text(model)).hexdigest(),
                }
            ),
            flush=True,
        )


try:
    serve(sys.argv[1])
except ImportError as error:
    print(json.dumps({"ready": False, "reason": str(error)}), flush=True)
