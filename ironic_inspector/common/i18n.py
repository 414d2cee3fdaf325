"""Translation of messages, as out-of-tree plug-ins import it."""

import oslo_i18n

_ = oslo_i18n.TranslatorFactory(domain='ironic_inspector').primary
