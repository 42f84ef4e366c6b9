"""trtexec's options: those of TensorRT 11, and what became of those of 10.

Source: samples/common/sampleOptions.cpp of NVIDIA/TensorRT at 10.16 and 11.1, compared.
"""

from __future__ import annotations

_IN_FILE = "networks are strongly typed now: precision stands in the ONNX"
_CACHE = "calibrators are gone; ranges stand in the ONNX as Q/DQ, found from samples"

GONE = {
    "fp16": _IN_FILE,
    "bf16": _IN_FILE,
    "fp8": _IN_FILE,
    "int4": _IN_FILE,
    "int8": _IN_FILE,
    "best": f"{_IN_FILE}, and TensorRT no longer chooses among precisions by their time",
    "calib": _CACHE,
    "calibProfile": _CACHE,
    "minShapesCalib": _CACHE,
    "optShapesCalib": _CACHE,
    "maxShapesCalib": _CACHE,
    "precisionConstraints": f"{_IN_FILE}, which binds",
    "layerPrecisions": f"{_IN_FILE}; rules of a plan name nodes instead",
    "layerOutputTypes": f"{_IN_FILE}; a layer gives the type that its node has there",
    "restricted": "the flag kSAFETY_SCOPE is gone; --safe is the way to the safety runtime",
    "weightless": "it is called --stripWeights",
    "workspace": "gone since 10; it is --memPoolSize=workspace:N",
    "explicitBatch": "gone since 10; every network has an explicit batch",
    "batch": "gone since 10; shapes have the batch: --shapes",
    "maxBatch": "gone since 10; shapes have the batch: --maxShapes",
    "buildOnly": "gone since 10; it is --skipInference",
    "nvtxMode": "gone since 10; it is --profilingVerbosity",
    "deploy": "gone since 10; only ONNX is read",
    "uff": "gone since 10; only ONNX is read",
    "output": "gone since 10; only ONNX is read",
}
"""Option -> why TensorRT 11 refuses it."""

IDLE = {
    "stronglyTyped": "no longer needed: it is always so",
    "useCudaGraph": "no longer needed: CUDA graphs are the default",
    "noDataTransfers": "no longer needed: copies are left out by default",
    "useSpinWait": "no longer needed: spinning is the default",
    "separateProfileRun": "no longer needed: the profile always has a run of its own",
}
"""Option -> why it does nothing in 11."""

RENAMED = {
    "plugins": "staticPlugins",
    "streams": "infStreams",
    "weightless": "stripWeights",
    "buildOnly": "skipInference",
}
"""Old word -> the word of 11."""

TIMED_OTHERWISE = {
    "useCudaGraph": "--noCudaGraph",
    "noDataTransfers": "--includeDataTransfers",
    "useSpinWait": "--noSpinWait",
}
"""What 10 did only if told -> how 11 is told not to."""

_WORDS = """
accuracyAlgorithm accuracyThreshold adjustForDLA allocationStrategy allowGPUFallback allowWeightStreaming
asyncFileReader atol avgRuns avgTiming buildDLAStandalone builderOptimizationLevel consistency continue
cpuOnly decomposableAttentions device directIO distributiveIndependence dryRun dumpKernelText dumpLayerInfo
dumpOptimizationProfile dumpOutput dumpProfile dumpRawBindingsToFile dumpRefit duration dynamicPlugins
enablePluginOverride errorOnTimingCacheMiss excludeLeanRuntime exportLayerInfo exportOutput exportProfile
exportTimes exposeDMA getPlanVersionOnly hardwareCompatibilityLevel help helpBuildRoute idleTime
ignoreParsedPluginLibs includeDataTransfers infStreams inputIOFormats int8 iterations l2LimitForTiling
layerDeviceTypes leanDLLPath loadEngine loadInputs loadRefOutputs markDebug markUnfusedTensorsAsDebugTensors
maxAuxStreams maxShapes maxTactics memPoolSize minShapes monitorMemory noBuilderCache noCompilationCache
noCudaGraph noDataTransfers noSpinWait noTF32 onnx optShapes outputIOFormats percentile persistentCacheRatio
pi pluginInstanceNorm plugins preview profile profilingVerbosity refPair refit refitFromOnnx
remoteAutoTuningConfig reportCapabilityDLA rtol runtimePlatform safe safetyPlugins saveAllDebugTensors
saveAllEngines saveDebugTensors saveEngine separateProfileRun serialized setBuildRoute setPluginsToSerialize
shapes skipInference sleepTime sparsity staticPlugins std streams stripAllWeights stripWeights stronglyTyped
tacticSources tempdir tempfileControls threads tilingOptimizationLevel timeDeserialize timeRefit
timingCacheFile tuneBuildRouteFile tuneBuildRoutes tuningCacheFile tuningResultFile tuningSearch
tuningTimeOut uint8AsymmetricQuantizationDLA useCudaGraph useDLACore useManagedMemory useProfile useRuntime
useSpinWait vc verbose versionCompatible warmUp weightStreamingBudget
"""
KNOWN = frozenset(_WORDS.split()) - {"int8"}
"""What TensorRT 11 takes (`--int8` but for its safety builds)."""
