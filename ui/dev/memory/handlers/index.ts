/** All routes of the in-memory engine. */
import { apps } from './apps';
import { backups } from './backups';
import { catalog } from './catalog';
import { connections } from './connections';
import { credentials } from './credentials';
import { events } from './events';
import { flows } from './flows';
import { protection } from './protection';
import { providers } from './providers';
import { vault } from './vault';

export const routes = [
  ...vault,
  ...backups,
  ...providers,
  ...catalog,
  ...connections,
  ...flows,
  ...apps,
  ...credentials,
  ...events,
  ...protection,
];
