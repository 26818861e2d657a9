"""Stand-ins for the providers' APIs, and conversations to try them with.

What an API accepts is written here a second time, from the providers' descriptions and their SDKs' types, so that a
mistake in the conversion is not repeated by its test.
"""
