"""Sources of benchmarks: the official data format, and IVCR-Mini."""
