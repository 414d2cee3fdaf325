"""A condition and an action for introspection rules.

For example, the machines in racks 1 to 9 go to a customer, whose name is in the data::

    {"conditions": [{"op": "sample-between", "field": "data://rack", "value": 1, "to": 9}],
     "actions": [{"action": "sample-assign", "owner": "{data[customer]}", "trait": "CUSTOM_RENTED"}]}
"""

from ironic_inspector.common.i18n import _
from ironic_inspector.plugins import base


class BetweenCondition(base.RuleConditionPlugin):
    """A number from `value` to `to`; with `open`, neither of them."""

    REQUIRED_PARAMS = base.RuleConditionPlugin.REQUIRED_PARAMS | {'to'}
    OPTIONAL_PARAMS = {'open'}

    def validate(self, params, **kwargs):
        super().validate(params, **kwargs)
        if params['value'] > params['to']:
            raise ValueError(_('value must not be greater than to'))

    def check(self, node_info, field, params, **kwargs):
        number, low, high = int(field), params['value'], params['to']
        return low < number < high if params.get('open') else low <= number <= high


class AssignAction(base.RuleActionPlugin):
    """Sets the owner of the node, and adds a trait."""

    REQUIRED_PARAMS = {'owner'}
    OPTIONAL_PARAMS = {'trait'}
    FORMATTED_PARAMS = ['owner']
    CAN_BE_PREVIEWED = True

    def apply(self, node_info, params, **kwargs):
        node_info.patch([{'op': 'add', 'path': '/owner', 'value': params['owner']}])
        if params.get('trait'):
            node_info.add_trait(params['trait'])
