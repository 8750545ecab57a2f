/**
 * A Fibre Channel fabric over Ethernet (FC-BB-6), made of the host's network interfaces: what a switch does, for those who have
 * none. Hosts with Linux's {@code fcoe} driver, or adapters that speak FCoE, find it, log in, get further names by NPIV, and see
 * each other as zones allow.
 *
 * <pre>
 *  interface ─▶ {@link io.javisor.storage.fcoe.FabricSwitch}   sockets, links, time; one thread
 *                    │ frames in, frames out
 *                    ▼
 *               {@link io.javisor.storage.fcoe.FcoeForwarder}  pure: no socket, no clock
 *                 ├ 0x8914 FipFrame      discovery, logins (FLOGI, FDISC, LOGO), keep-alives
 *                 └ 0x8906 FcFrame       to a well-known address: PortServices, NameServer
 *                                        to a port: by FabricPorts to the link where it is, its content untouched
 * </pre>
 *
 * <p>Whoever is on the network is not trusted: a frame is looked at only within what has arrived, is forwarded only from the
 * address and link where its sender has logged in and only to ports of its zones, and tables have an end. A frame that is not
 * right is dropped and counted.
 *
 * <p>Numbers are big-endian, names and codes those of FC-BB-6 (FIP), FC-LS (link services) and FC-GS (name server).
 */
@NullMarked
package io.javisor.storage.fcoe;

import org.jspecify.annotations.NullMarked;
