//! Rendered messages in, a provider's form out. Pure: nothing here renders, reads a file or knows Python.
