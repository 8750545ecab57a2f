/**
 * Fibre Channel storage area networks: who may see what under which name, without a wire.
 *
 * <pre>
 *  initiator port (WWPN) ──login──▶ fabric ──zoning──▶ target port (WWPN) ──mask──▶ LUN ─▶ LogicalUnit
 *       of a machine's adapter                          its link, its ALUA group         shared, one identity
 * </pre>
 *
 * <p>A {@link io.javisor.storage.fibrechannel.FibreChannelSan} is what an adapter is connected to: it lets an initiator port
 * log in, and the {@link io.javisor.storage.fibrechannel.FabricLogin} finds who answers at an address. A
 * {@link io.javisor.storage.fibrechannel.SoftwareSan} has its targets in this process. What a guest sees is decided here, by
 * the name that its adapter was given: a guest can choose an address, and nothing else.
 *
 * <p>Names are those of the Fibre Channel Framing and Signaling standard (FC-FS), numbers of LUNs and target port groups those
 * of SAM and SPC.
 */
@NullMarked
package io.javisor.storage.fibrechannel;

import org.jspecify.annotations.NullMarked;
