"""YAML as its version 1.2 reads it (the core schema), which is what editors and Holdfast go by; PyYAML alone reads 1.1."""

import re

import yaml


class Loader(yaml.SafeLoader):
    """Keys are the text that stands there, the first of two alike counts; the rest is what JSON would hold."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        out = {}
        for key, value in node.value:
            out.setdefault(key.value, self.construct_object(value, deep=True))
        return out

    def construct_map(self, node):
        yield self.construct_mapping(node)

    def construct_number(self, node):
        text = node.value
        if text.startswith("0o"):
            return int(text[2:], 8)
        if text.startswith("0x"):
            return int(text[2:], 16)
        if re.fullmatch(r"[-+]?[0-9]+", text):
            return int(text)
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))


Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
               r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
    list("-+0123456789."))
Loader.add_constructor("tag:yaml.org,2002:map", Loader.construct_map)
Loader.add_constructor("tag:yaml.org,2002:float", Loader.construct_number)


def load(text):
    return yaml.load(text, Loader)
