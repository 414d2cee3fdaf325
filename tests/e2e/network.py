"""What all networks that tests make have in common."""

ENABLE_IPV6 = '{ echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6; } 2>/dev/null || true'
"""A shell command for a new network, which may have inherited from its machine that there is no IPv6."""
