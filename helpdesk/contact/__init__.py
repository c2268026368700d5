"""TMP."""

from flask import Blueprint

blueprint = Blueprint("contact", __name__)
