"""The words of Croissant 1.1: its JSON-LD context, types, and the media types of files.

http://mlcommons.org/croissant/1.1, appendix 1, and http://mlcommons.org/croissant/RAI/1.0. Names of
schema.org begin with https, as its own context and the library `mlcroissant` have them.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

Node = dict[str, Any]  # an object of JSON-LD

CONFORMS_TO = (
    "http://mlcommons.org/croissant/1.1",
    "http://mlcommons.org/croissant/RAI/1.0",
)
_OF_CROISSANT = (
    "annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes",
    "extract", "field", "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray",
    "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "readLines", "recordSet",
    "references", "regex", "repeated", "replace", "samplingRate", "sdVersion", "separator",
    "source", "subField", "transform", "unArchive",
)  # fmt: skip
CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{name: f"cr:{name}" for name in _OF_CROISSANT},
}
SPLIT_CLASSES = {
    "train": "http://mlcommons.org/croissant/TrainingSplit",
    "val": "http://mlcommons.org/croissant/ValidationSplit",
    "test": "http://mlcommons.org/croissant/TestSplit",
}
TEXT, INTEGER, NUMBER = "sc:Text", "sc:Integer", "sc:Float"
_MEDIA_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".txt": "text/plain",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".mov": "video/quicktime",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".gif": "image/gif",
}


def media_type(name: str) -> str:
    """The media type of a file by its name; of an unknown kind, that of plain bytes."""
    return _MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")
