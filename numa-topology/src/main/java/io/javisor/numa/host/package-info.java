/**
 * The host's NUMA topology, as its kernel tells it.
 *
 * <p>Everything is read from files under {@code /sys} and {@code /proc}, once, into values;
 * {@link io.javisor.numa.host.HostTopology#read(java.nio.file.Path)} takes the root that they lie under, so that tests read
 * trees captured elsewhere. {@link io.javisor.numa.host.NumaDoctor} looks at the values and says what would make guests
 * slow; {@link io.javisor.numa.host.NumaDrawing} draws them. Nothing here changes the host.
 */
@NullMarked
package io.javisor.numa.host;

import org.jspecify.annotations.NullMarked;
