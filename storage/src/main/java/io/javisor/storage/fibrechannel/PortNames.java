package io.javisor.storage.fibrechannel;

/**
 * The names of an adapter: two sets, of which one is active.
 *
 * @param nodeA node name (WWNN) of set A
 * @param portA port name (WWPN) of set A
 * @param nodeB node name of set B, which may be that of set A
 * @param portB port name of set B, another than that of set A
 */
public record PortNames(Wwn nodeA, Wwn portA, Wwn nodeB, Wwn portB) {
    /** Checks that ports can be told apart. */
    public PortNames {
        if (portA.equals(portB)) {
            throw new IllegalArgumentException("both sets have the port name " + portA);
        }
        for (Wwn node : new Wwn[] {nodeA, nodeB}) {
            if (node.equals(portA) || node.equals(portB)) {
                throw new IllegalArgumentException("node and port have the same name, " + node);
            }
        }
    }

    /** The node's name in a set. */
    public Wwn node(WwnSet set) {
        return set == WwnSet.A ? nodeA : nodeB;
    }

    /** The port's name in a set. */
    public Wwn port(WwnSet set) {
        return set == WwnSet.A ? portA : portB;
    }
}
