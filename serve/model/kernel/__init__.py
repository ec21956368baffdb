"""The kernel: an optional, faster predictor whose predictions equal XGBoost's bit for bit."""
