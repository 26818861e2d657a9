"""Files of tables: CSV and JSON Lines with the standard library, Parquet and Arrow with pyarrow or polars."""
