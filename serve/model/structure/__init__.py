"""The structure of a model file, checked before XGBoost loads it: XGBoost itself may crash."""
