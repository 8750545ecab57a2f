/**
 * Machines and the host as JMX management beans, for whoever wants them: {@link io.javisor.api.VirtualMachine#manage} and
 * {@link io.javisor.api.Host#manage} register them. They tell, and change nothing.
 */
@NullMarked
package io.javisor.api.management;

import org.jspecify.annotations.NullMarked;
