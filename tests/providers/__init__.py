"""Mocks of the providers' APIs, and random conversations to test them with.

The rules of each API are written here a second time, from the providers' documentation and the types of their SDKs, so
that the tests do not repeat a mistake of the conversion.
"""
