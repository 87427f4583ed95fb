"""The findings as text, for GitHub, and as SARIF."""
