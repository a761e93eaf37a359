"""Commands and options about the environment: doctor, completion, logs."""
