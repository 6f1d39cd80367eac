/** Tools of a machine in memory: setting one up adds an entry, and the undo removes it. */
import type { SetupChange, SetupPlan, SetupRequest, SetupTool } from '../../src/lib/types-setup';
import { ApiError } from './api-error';

export class MemoryTools {
  list: SetupTool[] = [
    {
      tool: 'git',
      title: 'git',
      installed: true,
      fields: [{ name: 'address', example: 'github.com', optional: true }],
      entries: [],
    },
    {
      tool: 'mcp',
      title: 'MCP clients',
      installed: true,
      fields: [{ name: 'address', example: 'https://mcp.example.com/mcp', optional: false }],
      entries: [],
    },
    { tool: 'docker', title: 'Docker', installed: false, fields: [], entries: [] },
  ];

  plan(request: SetupRequest): SetupPlan {
    const tool = this.#tool(request.tool);
    const target = request.undo ?? request.options.address;
    if (!target) throw { error: new ApiError('validation_error', 'Give an address.').error };
    const isThere = tool.entries.some((entry) => entry.target === target);
    const mark = request.undo === null ? '+' : '-';
    const diff = ` [user]\n${mark}[credential "${target}"]\n${mark}\thelper = !tokenry git-credential\n`;
    const changes = isThere === (request.undo === null) ? [] : [{ path: '/home/ada/.gitconfig', diff }];
    return { tool: tool.tool, changes, notes: [], lines: [] };
  }

  write(request: SetupRequest, shown: SetupChange[]): void {
    const tool = this.#tool(request.tool);
    const { changes } = this.plan(request);
    if (JSON.stringify(changes) !== JSON.stringify(shown)) {
      throw { error: new ApiError('conflict', 'The file was changed meanwhile.').error };
    }
    if (request.undo !== null) {
      tool.entries = tool.entries.filter((entry) => entry.target !== request.undo);
      return;
    }
    const target = request.options.address ?? '';
    const paths = ['/home/ada/.gitconfig'];
    tool.entries.push({ target, paths, problem: null, address: { url: `https://${target}`, kind: tool.tool } });
  }

  #tool(name: string): SetupTool {
    const found = this.list.find(({ tool }) => tool === name);
    if (!found) throw { error: new ApiError('not_found', 'This tool is not known.').error };
    return found;
  }
}
