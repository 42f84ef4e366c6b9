"""The names of the files in a run's folder."""

RUN_FILE = "run.json"  # Run
REQUEST_FILE = "request.json"  # RunRequest
GRAPH_FILE = "graph.json"  # EngineGraph
RACE_FILE = "race.json"  # Race, in a race's own folder
TYPED_FILE = "typed.onnx"
PLAN_FILE = "plan.toml"  # what another quantizer's file amounts to
TYPED_MODEL_FILE = "typed.json"  # TypedModel: what a race builds the engine from again
SEARCH_FILE = "search.json"  # Search, in its own folder and in that of its key
SWEEP_FILE = "sweep.json"  # Sweep, in its own folder
TUNING_FILE = "tuning.json"  # Tuning, in its own folder
CULPRITS_FILE = "culprits.json"  # Culprits, in its own folder
CALIBRATED_FILE = "calibrated.json"  # Calibrated, in its own folder
CALIBRATION_FILE = "calibration.json"  # CalibrationReport, where a run needed ranges
CEILINGS_FILE = "ceilings.json"  # MeasuredCeilings, in its own folder
REPLANNED_FILE = "replanned.json"  # Replanned, in its own folder
FREED_FILE = "freed.json"  # FreedBatch, in its own folder
PROFILE_MEMORY_FILE = "profile_memory.json"  # ProfileMemory, in its own folder
EXPORTED_FILE = "exported.json"  # Exported, in its own folder
IMPORTED_FILE = "imported.json"  # Imported
LATENCIES_FILE = "latencies.npy"  # float64 milliseconds, in order
LAYER_SAMPLES_FILE = "layer_samples.npy"  # float32 ms [inferences, layers], where the engine tells single ones
LOG_FILE = "log.txt"
STAGES_FILE = "stages.json"  # of Stage: where the time of the run went
LAYER_ERRORS_FILE = "layer_errors.json"  # LayerErrors
LAYER_WEIGHTS_FILE = "layers.weights.part"  # only while layers are checked
