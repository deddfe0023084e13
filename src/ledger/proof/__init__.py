"""Proofs for those who do not trust whoever runs the database."""
