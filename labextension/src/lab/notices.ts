import { ILab } from './lab';

export function addNotices(lab: ILab): void {
  void lab;
}
