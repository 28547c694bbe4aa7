"""`schema`: the JSON Schema of playbooks."""

import json

from orchestrator.cli import screen
from orchestrator.cli.app import new_app

app = new_app()


@app.command()
def schema() -> int:
    """Print the JSON Schema of playbooks, so that an editor completes and checks them."""
    from orchestrator.playbook.language import json_schema

    screen.show_data(json.dumps(json_schema(), indent=2))
    return 0
