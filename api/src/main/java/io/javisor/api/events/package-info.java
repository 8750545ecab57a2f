/** What machines tell the JVM's flight recorder: {@code docs/observability.md} lists it. Costs nothing while nobody records. */
@NullMarked
package io.javisor.api.events;

import org.jspecify.annotations.NullMarked;
