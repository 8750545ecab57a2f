package io.javisor.storage.fcoe;

import io.javisor.storage.fibrechannel.Wwn;

/**
 * A port that is logged in at the fabric.
 *
 * @param id its address, 24 bits
 * @param portName its WWPN
 * @param nodeName its WWNN
 * @param link where it is, by number
 * @param virtual whether it is a further name of its host's (NPIV)
 * @param target whether it has said that it is an FCP target
 * @param initiator whether it has said that it is an FCP initiator
 */
public record FabricPort(
        int id, Wwn portName, Wwn nodeName, int link, boolean virtual, boolean target, boolean initiator) {}
